#define _GNU_SOURCE
#include "CCurl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

CURL *ccurl_next_ended(CURLM *multi, CURLcode *result) {
    int left = 0;
    CURLMsg *message;
    while ((message = curl_multi_info_read(multi, &left)) != NULL) {
        if (message->msg == CURLMSG_DONE) {
            *result = message->data.result;
            return message->easy_handle;
        }
    }
    return NULL;
}

int ccurl_read_address(const struct curl_sockaddr *address, unsigned char bytes[16], unsigned short *port) {
    if (address->family == AF_INET) {
        struct sockaddr_in four;
        memcpy(&four, &address->addr, sizeof four);
        memset(bytes, 0, 10);
        memset(bytes + 10, 0xFF, 2);
        memcpy(bytes + 12, &four.sin_addr, 4);
        *port = ntohs(four.sin_port);
        return 1;
    }
    if (address->family == AF_INET6) {
        // libcurl keeps the whole address behind the declared `struct sockaddr`, which is shorter than an IPv6 one.
        struct sockaddr_in6 six;
        memcpy(&six, (const char *)address + offsetof(struct curl_sockaddr, addr), sizeof six);
        memcpy(bytes, &six.sin6_addr, 16);
        *port = ntohs(six.sin6_port);
        return 1;
    }
    return 0;
}

curl_socket_t ccurl_open_socket(const struct curl_sockaddr *address) {
#ifdef SOCK_CLOEXEC
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
#else
    return socket(address->family, address->socktype, address->protocol);
#endif
}

int ccurl_close_socket(curl_socket_t socket) { return close(socket); }

static int read_end(const struct sockaddr_storage *address, char text[46], int *port) {
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *four = (const struct sockaddr_in *)address;
        *port = ntohs(four->sin_port);
        return inet_ntop(AF_INET, &four->sin_addr, text, 46) != NULL;
    }
    if (address->ss_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)address;
        *port = ntohs(six->sin6_port);
        return inet_ntop(AF_INET6, &six->sin6_addr, text, 46) != NULL;
    }
    return 0;
}

int ccurl_read_ends(curl_socket_t socket, struct ccurl_ends *ends) {
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    if (getsockname(socket, (struct sockaddr *)&address, &size) != 0 || !read_end(&address, ends->local, &ends->local_port)) return 0;
    size = sizeof address;
    return getpeername(socket, (struct sockaddr *)&address, &size) == 0 && read_end(&address, ends->peer, &ends->peer_port);
}

int ccurl_is_readable(curl_socket_t socket) {
    struct pollfd event = {.fd = socket, .events = POLLIN};
    return poll(&event, 1, 0) > 0;
}

void ccurl_spoil(curl_socket_t socket) {
    shutdown(socket, SHUT_RDWR);
    // After the shutdown nothing more comes in, so what is there has an end.
    char bytes[4096];
    while (recv(socket, bytes, sizeof bytes, MSG_DONTWAIT) > 0) {}
}

struct start {
    void (*body)(void *context);
    void *context;
};

static void *run(void *argument) {
    struct start start = *(struct start *)argument;
    free(argument);
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, NULL);
    start.body(start.context);
    return NULL;
}

int ccurl_start_thread(void (*body)(void *context), void *context) {
    struct start *start = malloc(sizeof *start);
    if (start == NULL) return ENOMEM;
    start->body = body;
    start->context = context;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_t thread;
    int error = pthread_create(&thread, &attributes, run, start);
    pthread_attr_destroy(&attributes);
    if (error != 0) free(start);
    return error;
}
