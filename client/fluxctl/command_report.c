#include "client/fluxctl/fluxctl.h"
#include "client/fluxctl/json_split.h"
#include "client/fluxctl/wait.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DISPATCH_EVERY 256u /* objects between two looks at the answers */

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A full backlog means that the daemon is away or behind: it gets the time that the user allows. */
static int report_document(const struct fluxctl_arguments *arguments, struct fluxaws_client *client,
                           const char *document)
{
    int64_t deadline_ms = now_ms() + arguments->timeout_ms;
    int r;
    while ((r = arguments->replace ? fluxaws_replace_json(client, arguments->replace_path, document)
                                   : fluxaws_report_json(client, document)) == -ENOBUFS &&
           now_ms() < deadline_ms) {
        r = fluxaws_dispatch(client, 50);
        if (r < 0)
            return r;
    }
    return r;
}

/* A stream ends at its first bad object. */
static void explain_rest(unsigned long long number)
{
    if (number > 1)
        fprintf(stderr, "What stands before object %llu was reported; it and the rest were not.\n",
                number);
}

static enum fluxctl_exit explain_document(struct fluxaws_client *client,
                                          const struct json_split *split, int error)
{
    unsigned long long number = split->document_count;
    fprintf(stderr, "fluxctl: object %llu: %s\n", number, fluxaws_error_text(client));
    explain_rest(number);
    if (error == -ENOBUFS && fluxaws_is_connected(client) != 1)
        return FLUXCTL_NO_DAEMON;
    return error == -ENOBUFS ? FLUXCTL_TIMED_OUT : FLUXCTL_REFUSED;
}

static enum fluxctl_exit explain_stream(const struct json_split *split, int error)
{
    unsigned long long number = split->document_count + 1;
    if (error == -E2BIG)
        fprintf(stderr, "fluxctl: object %llu is longer than %zu bytes\n", number,
                JSON_SPLIT_BYTES_MAX);
    else if (error == 0)
        fprintf(stderr, "fluxctl: object %llu is cut off at the end of the input\n", number);
    else
        fprintf(stderr, "fluxctl: object %llu: not a JSON object\n", number);
    explain_rest(number);
    return FLUXCTL_REFUSED;
}

/* Report all objects that are complete. */
static enum fluxctl_exit report_complete(const struct fluxctl_arguments *arguments,
                                         struct fluxaws_client *client, struct json_split *split)
{
    char *document;
    int r;
    while ((r = json_split_next(split, &document)) == 1) {
        int error = report_document(arguments, client, document);
        if (error < 0)
            return explain_document(client, split, error);
        if (split->document_count % DISPATCH_EVERY == 0)
            (void)fluxaws_dispatch(client, 0);
    }
    return r < 0 ? explain_stream(split, r) : FLUXCTL_DONE;
}

static enum fluxctl_exit report_stream(struct fluxaws_client *client, int fd,
                                       const struct fluxctl_arguments *arguments,
                                       struct json_split *split)
{
    for (;;) {
        size_t room = 0;
        char *data = json_split_room(split, &room);
        if (data == NULL) {
            fprintf(stderr, "fluxctl: out of memory\n");
            return FLUXCTL_REFUSED;
        }
        ssize_t got = read(fd, data, room);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            fprintf(stderr, "fluxctl: reading %s: %s\n",
                    fd != STDIN_FILENO ? arguments->operands[0] : "stdin", strerror(errno));
            return FLUXCTL_REFUSED;
        }
        if (got == 0)
            return json_split_is_empty(split) ? FLUXCTL_DONE : explain_stream(split, 0);
        json_split_fed(split, (size_t)got);
        enum fluxctl_exit exit = report_complete(arguments, client, split);
        if (exit != FLUXCTL_DONE)
            return exit;
        (void)fluxaws_dispatch(client, 0);
    }
}

/* What was reported before a bad object stands, so its end is waited for all the same. */
static enum fluxctl_exit report(const struct fluxctl_arguments *arguments,
                                struct fluxaws_client *client, int fd)
{
    struct fluxctl_wait wait;
    enum fluxctl_exit exit = fluxctl_wait_begin(&wait, arguments, client);
    if (exit != FLUXCTL_DONE)
        return exit;
    struct json_split split = {0};
    exit = report_stream(client, fd, arguments, &split);
    json_split_clear(&split);
    if (exit != FLUXCTL_DONE) {
        (void)fluxaws_flush(client, FLUXAWS_QUEUED, arguments->timeout_ms);
        return exit;
    }
    return fluxctl_wait_end(&wait, false);
}

static int open_input(const struct fluxctl_arguments *arguments)
{
    if (arguments->operand_count == 0 || strcmp(arguments->operands[0], "-") == 0)
        return STDIN_FILENO;
    return open(arguments->operands[0], O_RDONLY | O_CLOEXEC);
}

enum fluxctl_exit fluxctl_report(const struct fluxctl_arguments *arguments)
{
    int fd = open_input(arguments);
    if (fd < 0) {
        fprintf(stderr, "fluxctl: %s: %s\n", arguments->operands[0], strerror(errno));
        return FLUXCTL_REFUSED;
    }
    struct fluxaws_client *client = NULL;
    enum fluxctl_exit exit = fluxctl_connect(arguments, &client);
    if (exit == FLUXCTL_DONE)
        exit = report(arguments, client, fd);
    client = fluxaws_close(client);
    if (fd != STDIN_FILENO)
        (void)close(fd);
    return exit;
}
