#pragma once

// libcurl's option functions are variadic, and Swift cannot call variadic C. These wrappers have one fixed signature each; longs stay
// `long`, because libcurl reads a `long` from the argument list whatever was put there.

#include <curl/curl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

typedef size_t (*ccurl_data_callback)(char *bytes, size_t size, size_t count, void *context);
typedef curl_socket_t (*ccurl_socket_callback)(void *context, curlsocktype purpose, struct curl_sockaddr *address);
typedef int (*ccurl_close_callback)(void *context, curl_socket_t socket);
typedef int (*ccurl_prerequest_callback)(void *context, char *peer, char *local, int peer_port, int local_port);

static inline CURLcode ccurl_set_long(CURL *easy, CURLoption option, long value) { return curl_easy_setopt(easy, option, value); }

static inline CURLcode ccurl_set_offset(CURL *easy, CURLoption option, curl_off_t value) { return curl_easy_setopt(easy, option, value); }

static inline CURLcode ccurl_set_text(CURL *easy, CURLoption option, const char *value) { return curl_easy_setopt(easy, option, value); }

static inline CURLcode ccurl_set_pointer(CURL *easy, CURLoption option, void *value) { return curl_easy_setopt(easy, option, value); }

static inline CURLcode ccurl_set_list(CURL *easy, CURLoption option, struct curl_slist *value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode ccurl_set_data_callback(CURL *easy, CURLoption option, ccurl_data_callback callback) {
    return curl_easy_setopt(easy, option, callback);
}

static inline CURLcode ccurl_set_socket_callback(CURL *easy, ccurl_socket_callback callback) {
    return curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, callback);
}

static inline CURLcode ccurl_set_close_callback(CURL *easy, ccurl_close_callback callback) {
    return curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, callback);
}

static inline CURLcode ccurl_set_prerequest_callback(CURL *easy, ccurl_prerequest_callback callback) {
    return curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, callback);
}

static inline CURLSHcode ccurl_share_add(CURLSH *share, curl_lock_data what) { return curl_share_setopt(share, CURLSHOPT_SHARE, what); }

static inline CURLMcode ccurl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}

static inline long ccurl_response_code(CURL *easy) {
    long code = 0;
    return curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &code) == CURLE_OK ? code : 0;
}

/// Of the last answer: one of CURL_HTTP_VERSION_*, 0 when unknown.
static inline long ccurl_http_version(CURL *easy) {
    long version = 0;
    return curl_easy_getinfo(easy, CURLINFO_HTTP_VERSION, &version) == CURLE_OK ? version : 0;
}

static inline curl_version_info_data *ccurl_version(void) { return curl_version_info(CURLVERSION_NOW); }

static inline void *ccurl_private(CURL *easy) {
    char *pointer = NULL;
    return curl_easy_getinfo(easy, CURLINFO_PRIVATE, &pointer) == CURLE_OK ? pointer : NULL;
}

/// The next transfer that ended, or NULL when none is left.
CURL *ccurl_next_ended(CURLM *multi, CURLcode *result);

/// Writes the address (16 bytes, IPv4 as IPv4-mapped) and the port. 0 for a family that is neither IPv4 nor IPv6.
int ccurl_read_address(const struct curl_sockaddr *address, unsigned char bytes[16], unsigned short *port);

/// Opens the socket libcurl asked for, closed on exec.
curl_socket_t ccurl_open_socket(const struct curl_sockaddr *address);

/// Closes a socket that libcurl is done with.
int ccurl_close_socket(curl_socket_t socket);

/// Both ends of a connection, as texts without port.
struct ccurl_ends {
    char local[46];
    int local_port;
    char peer[46];
    int peer_port;
};

/// 0 for a socket that is not connected.
int ccurl_read_ends(curl_socket_t socket, struct ccurl_ends *ends);

/// Whether bytes, the end or an error wait on the socket.
int ccurl_is_readable(curl_socket_t socket);

/// Throws away what waits on the socket and shuts it both ways, without closing it.
void ccurl_spoil(curl_socket_t socket);

/// What wakes the thread that drives a multi handle: its sockets, its timer, or another thread.
typedef struct ccurl_events ccurl_events;

/// Takes over the waiting for `multi`. NULL when the system gives no descriptors or memory.
ccurl_events *ccurl_events_open(CURLM *multi);

/// Lets libcurl do what its own timer says is due; a transfer just added is due at once.
CURLMcode ccurl_events_fire(ccurl_events *events);

/// Sleeps until something happens, at most `milliseconds`, and lets libcurl work on the sockets that are ready.
CURLMcode ccurl_events_wait(ccurl_events *events, long milliseconds);

/// Ends a sleep, the running one or the next. The one function here that any thread may call.
void ccurl_events_wake(ccurl_events *events);

/// After `curl_multi_cleanup`, which still reports the sockets that it closes.
void ccurl_events_close(ccurl_events *events);

/// Runs `body` on a new detached thread that SIGPIPE does not reach (OpenSSL may write to a socket whose peer is gone). 0, or an errno.
int ccurl_start_thread(void (*body)(void *context), void *context);
