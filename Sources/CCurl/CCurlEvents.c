#define _GNU_SOURCE
#include "CCurl.h"

#include <stdlib.h>

// `curl_multi_perform` asks the kernel about every running transfer each time, so a brand that hangs with hundreds of calls would make
// every other call slower. Where there is epoll, only the transfers whose sockets are ready are touched.

#ifdef __linux__

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { batch = 128 };

struct ccurl_events {
    CURLM *multi;
    int epoll;
    int wake;
    /// On the monotonic clock, in milliseconds; negative when no timer runs.
    long long timer;
};

static long long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (long long)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static int on_timer(CURLM *multi, long milliseconds, void *context) {
    (void)multi;
    ccurl_events *events = context;
    events->timer = milliseconds < 0 ? -1 : now() + milliseconds;
    return 0;
}

static int on_socket(CURL *easy, curl_socket_t socket, int what, void *context, void *known) {
    (void)easy;
    ccurl_events *events = context;
    if (what == CURL_POLL_REMOVE) {
        // Fails only when the socket is closed already, which took it out as well.
        epoll_ctl(events->epoll, EPOLL_CTL_DEL, socket, NULL);
        return 0;
    }
    struct epoll_event event = {.data.fd = socket};
    if (what & CURL_POLL_IN) event.events |= EPOLLIN;
    if (what & CURL_POLL_OUT) event.events |= EPOLLOUT;
    int first = known == NULL ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    if (epoll_ctl(events->epoll, first, socket, &event) != 0) {
        // A failure of this one, too (no memory), leaves the transfer to its time-out: reporting it would end the multi handle for good.
        epoll_ctl(events->epoll, errno == EEXIST ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, socket, &event);
    }
    if (known == NULL) curl_multi_assign(events->multi, socket, events);
    return 0;
}

ccurl_events *ccurl_events_open(CURLM *multi) {
    ccurl_events *events = malloc(sizeof *events);
    if (events == NULL) return NULL;
    events->multi = multi;
    events->epoll = epoll_create1(EPOLL_CLOEXEC);
    events->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    events->timer = -1;
    // Edge-triggered: each write wakes once, and nobody needs to read the count.
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.fd = events->wake};
    if (events->epoll < 0 || events->wake < 0 || epoll_ctl(events->epoll, EPOLL_CTL_ADD, events->wake, &event) != 0) {
        ccurl_events_close(events);
        return NULL;
    }
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, events);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, events);
    return events;
}

CURLMcode ccurl_events_fire(ccurl_events *events) {
    if (events->timer < 0 || events->timer > now()) return CURLM_OK;
    events->timer = -1;
    int running = 0;
    return curl_multi_socket_action(events->multi, CURL_SOCKET_TIMEOUT, 0, &running);
}

CURLMcode ccurl_events_wait(ccurl_events *events, long milliseconds) {
    if (events->timer >= 0) {
        long long left = events->timer - now();
        if (left < milliseconds) milliseconds = left > 0 ? (long)left : 0;
    }
    struct epoll_event ready[batch];
    int count = epoll_wait(events->epoll, ready, batch, (int)milliseconds);
    if (count < 0) return errno == EINTR ? CURLM_OK : CURLM_INTERNAL_ERROR;
    for (int index = 0; index < count; index++) {
        int socket = ready[index].data.fd;
        if (socket == events->wake) continue;
        int what = 0;
        if (ready[index].events & EPOLLIN) what |= CURL_CSELECT_IN;
        if (ready[index].events & EPOLLOUT) what |= CURL_CSELECT_OUT;
        if (ready[index].events & (EPOLLERR | EPOLLHUP)) what |= CURL_CSELECT_ERR;
        int running = 0;
        CURLMcode code = curl_multi_socket_action(events->multi, socket, what, &running);
        if (code != CURLM_OK) return code;
    }
    return CURLM_OK;
}

void ccurl_events_wake(ccurl_events *events) {
    // Full (after 2^64 - 1 writes) means that a wake-up is pending, which is all that is wanted.
    eventfd_write(events->wake, 1);
}

void ccurl_events_close(ccurl_events *events) {
    if (events->epoll >= 0) close(events->epoll);
    if (events->wake >= 0) close(events->wake);
    free(events);
}

#else

struct ccurl_events {
    CURLM *multi;
};

ccurl_events *ccurl_events_open(CURLM *multi) {
    ccurl_events *events = malloc(sizeof *events);
    if (events != NULL) events->multi = multi;
    return events;
}

CURLMcode ccurl_events_fire(ccurl_events *events) {
    int running = 0;
    return curl_multi_perform(events->multi, &running);
}

CURLMcode ccurl_events_wait(ccurl_events *events, long milliseconds) {
    return curl_multi_poll(events->multi, NULL, 0, (int)milliseconds, NULL);
}

void ccurl_events_wake(ccurl_events *events) { curl_multi_wakeup(events->multi); }

void ccurl_events_close(ccurl_events *events) { free(events); }

#endif
