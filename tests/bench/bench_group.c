/* The floors under STORED: a bare server for the client library. It greets, gathers the reports
 * that have come, has a second thread write and sync them in one go, and answers them. It checks
 * nothing, merges nothing, marks nothing and survives no error.
 *
 *   bench_group SOCKET DIR BYTES      BYTES in a file for each report, until it is killed
 *   bench_group SOCKET DIR sqlite     a small row in a database for each
 *
 * Its file is called state-..., so that a library that makes a disk slow knows it. */
#include "proto/message.h"
#include "tests/bench/bare_table.h"
#include "tests/bench/measure.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CLIENTS_MAX 1024 /* descriptors, too */
#define BUFFER_SIZE 4096
#define REPORTS_MAX 4096
#define WRITE_MAX   (4u << 20)
#define WRAP_BYTES  (256 * 1024) /* a log is written over from its beginning, as SQLite's is */

struct waiting {
    int fd;
    uint64_t id;
};

struct group {
    struct waiting reports[REPORTS_MAX];
    size_t count;
};

struct client {
    uint8_t data[BUFFER_SIZE];
    size_t size;
};

struct server {
    int epoll_fd, listen_fd, event_fd, file_fd;
    struct bare_table *table; /* NULL: bytes are written, to the file */
    size_t report_bytes;
    struct client *clients[CLIENTS_MAX];        /* by descriptor */
    struct group groups[2], *filling, *written; /* `written` is the thread's; NULL: it is idle */
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool has_job; /* under the mutex */
};

/* --- the second thread --- */

static void write_bytes(struct server *server)
{
    static uint8_t data[WRITE_MAX];
    static off_t at;
    size_t size = server->written->count * server->report_bytes;
    size = size < sizeof(data) ? size : sizeof(data);
    memset(data, (int)at, size);
    if (pwrite(server->file_fd, data, size, at) != (ssize_t)size || fdatasync(server->file_fd) < 0)
        measure_die("writing");
    at = at + (off_t)size > WRAP_BYTES ? 0 : at + (off_t)size;
}

static void write_rows(struct server *server)
{
    static int64_t revision;
    bare_table_begin(server->table);
    for (size_t i = 0; i < server->written->count; i++) {
        const struct waiting *report = &server->written->reports[i];
        char path[64];
        (void)snprintf(path, sizeof(path), "/bench/room%03d/temperature", report->fd);
        bare_table_put(server->table, path, (double)report->id * 0.5, ++revision);
    }
    bare_table_commit(server->table);
}

static void *write_groups(void *argument)
{
    struct server *server = argument;
    for (;;) {
        (void)pthread_mutex_lock(&server->mutex);
        while (!server->has_job)
            (void)pthread_cond_wait(&server->changed, &server->mutex);
        server->has_job = false;
        (void)pthread_mutex_unlock(&server->mutex);
        if (server->table != NULL)
            write_rows(server);
        else
            write_bytes(server);
        const uint64_t one = 1;
        if (write(server->event_fd, &one, sizeof(one)) < 0)
            measure_die("eventfd");
    }
    return NULL;
}

static void begin_write(struct server *server)
{
    struct group *group = server->filling;
    if (server->written != NULL || group->count == 0)
        return;
    server->written = group;
    server->filling = group == &server->groups[0] ? &server->groups[1] : &server->groups[0];
    (void)pthread_mutex_lock(&server->mutex);
    server->has_job = true;
    (void)pthread_cond_signal(&server->changed);
    (void)pthread_mutex_unlock(&server->mutex);
}

/* --- the sockets --- */

static void say(int fd, const struct flux_wire_writer *writer)
{
    /* A client that has gone is noticed when it is read. */
    (void)send(fd, writer->data, writer->size, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void answer_all(struct group *group)
{
    for (size_t i = 0; i < group->count; i++) {
        const uint64_t id = group->reports[i].id;
        const struct flux_answer answer = {
            .level = FLUX_LEVEL_STORED, .first_id = id, .last_id = id};
        const struct flux_safe safe = {.last_id = id};
        uint8_t frame[256];
        struct flux_wire_writer writer;
        flux_wire_writer_init(&writer, frame, sizeof(frame));
        if (flux_answer_encode(&writer, &answer) < 0 || flux_safe_encode(&writer, &safe) < 0)
            measure_die("answer");
        say(group->reports[i].fd, &writer);
    }
    group->count = 0;
}

static void greet(int fd)
{
    const struct flux_welcome welcome = {.version = FLUX_PROTOCOL_VERSION_MAX,
                                         .instance_id = 1,
                                         .flags = FLUX_WELCOME_DURABLE,
                                         .max_frame_bytes = BUFFER_SIZE,
                                         .max_depth = 6};
    uint8_t frame[256];
    struct flux_wire_writer writer;
    flux_wire_writer_init(&writer, frame, sizeof(frame));
    if (flux_welcome_encode(&writer, &welcome) < 0)
        measure_die("welcome");
    say(fd, &writer);
}

static void take_report(struct server *server, int fd, const struct flux_frame *frame)
{
    struct flux_report report;
    struct flux_wire_reader operations;
    struct group *group = server->filling;
    if (flux_report_decode(frame, &report, &operations) < 0 || group->count == REPORTS_MAX)
        measure_die("report");
    group->reports[group->count++] = (struct waiting){fd, report.request_id};
}

static void take_frames(struct server *server, int fd)
{
    struct client *client = server->clients[fd];
    size_t at = 0;
    struct flux_frame frame;
    int r;
    while ((r = flux_frame_next(client->data + at, client->size - at, BUFFER_SIZE, &frame)) > 0) {
        if (frame.type == FLUX_MESSAGE_HELLO)
            greet(fd);
        else if (frame.type == FLUX_MESSAGE_REPORT)
            take_report(server, fd, &frame);
        at += (size_t)r;
    }
    client->size -= at;
    if (at > 0 && client->size > 0)
        memmove(client->data, client->data + at, client->size);
}

static void serve(struct server *server, int fd)
{
    struct client *client = server->clients[fd];
    const ssize_t got =
        recv(fd, client->data + client->size, BUFFER_SIZE - client->size, MSG_DONTWAIT);
    if (got > 0) {
        client->size += (size_t)got;
        take_frames(server, fd);
    } else if (got == 0 || errno != EAGAIN) {
        (void)close(fd);
        free(client);
        server->clients[fd] = NULL;
    }
}

static void watch(const struct server *server, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
        measure_die("epoll");
}

static void admit(struct server *server)
{
    const int fd = accept4(server->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0 || fd >= CLIENTS_MAX)
        measure_die("accept");
    server->clients[fd] = calloc(1, sizeof(*server->clients[fd]));
    if (server->clients[fd] == NULL)
        measure_die("memory");
    watch(server, fd);
}

static void run(struct server *server)
{
    struct epoll_event events[64];
    for (;;) {
        const int count = epoll_wait(server->epoll_fd, events, 64, -1);
        struct group *answered = NULL;
        uint64_t value;
        for (int i = 0; i < count; i++) {
            const int fd = events[i].data.fd;
            if (fd == server->listen_fd)
                admit(server);
            else if (fd != server->event_fd)
                serve(server, fd);
            else if (read(fd, &value, sizeof(value)) > 0)
                answered = server->written;
        }
        if (answered != NULL)
            server->written = NULL;
        /* The disk is not kept waiting for the answers. The other group is free until they are
         * given: nothing is read meanwhile. */
        begin_write(server);
        if (answered != NULL)
            answer_all(answered);
    }
}

static int open_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    (void)unlink(path);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 128) < 0)
        measure_die(path);
    return fd;
}

int main(int argc, char **argv)
{
    static struct server server = {.mutex = PTHREAD_MUTEX_INITIALIZER,
                                   .changed = PTHREAD_COND_INITIALIZER};
    if (argc < 4)
        return 2;
    char path[4096];
    (void)snprintf(path, sizeof(path), "%s/state-bench", argv[2]);
    if (strcmp(argv[3], "sqlite") == 0)
        server.table = bare_table_open(argv[2]);
    server.report_bytes = (size_t)atol(argv[3]);
    server.filling = &server.groups[0];
    server.file_fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    server.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    server.event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (server.file_fd < 0 || server.epoll_fd < 0 || server.event_fd < 0)
        measure_die(path);
    server.listen_fd = open_socket(argv[1]);
    watch(&server, server.listen_fd);
    watch(&server, server.event_fd);
    pthread_t thread;
    if (pthread_create(&thread, NULL, write_groups, &server) != 0)
        measure_die("thread");
    run(&server);
}
