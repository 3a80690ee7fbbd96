/* Prints what the cloud wants, line by line, until it is told to end or nobody reads any more. */
#include "client/fluxctl/ask.h"
#include "client/fluxctl/fluxctl.h"
#include "client/fluxctl/output.h"
#include "client/fluxctl/paths.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct watcher {
    bool is_over;
    enum fluxctl_exit exit;
};

static volatile sig_atomic_t is_interrupted;

static void interrupt(int signal_number)
{
    (void)signal_number;
    is_interrupted = 1;
}

/* A reader that went away has seen what it wanted to see; a full disk is another matter. */
static void judge_output(struct watcher *watcher)
{
    if (fflush(stdout) == 0)
        return;
    watcher->is_over = true;
    if (errno == EPIPE) {
        clearerr(stdout);
        return;
    }
    perror("fluxctl: writing");
    clearerr(stdout);
    watcher->exit = FLUXCTL_REFUSED;
}

static void print_wish(struct fluxaws_client *client, const struct fluxaws_desired *desired,
                       void *data)
{
    (void)client;
    struct watcher *watcher = data;
    if (watcher->is_over)
        return;
    if (desired->error != 0) {
        bool is_denied = desired->error == -EACCES || desired->error == -EPERM;
        fprintf(stderr, "fluxctl: watch '%s': %s\n", desired->path, desired->text);
        watcher->is_over = true;
        watcher->exit = is_denied ? FLUXCTL_NO_PERMISSION : FLUXCTL_REFUSED;
        return;
    }
    fputs("{\"path\":", stdout);
    fluxctl_print_string(desired->path);
    printf(",\"value\":%s,\"version\":%lld,\"differs\":%s%s}\n",
           desired->json != NULL ? desired->json : "null", (long long)desired->version,
           desired->json != NULL ? "true" : "false", desired->stale ? ",\"stale\":true" : "");
    judge_output(watcher);
}

/* A path that lies below another one of the command would be told twice. */
static int watch_all(const struct fluxctl_arguments *arguments, struct fluxaws_client *client,
                     struct watcher *watcher)
{
    if (arguments->operand_count == 0)
        return fluxaws_watch(client, NULL, print_wish, watcher);
    for (int i = 0; i < arguments->operand_count; i++) {
        bool is_covered = false;
        for (int j = 0; j < arguments->operand_count && !is_covered; j++)
            is_covered =
                j != i && fluxctl_path_covers(arguments->operands[j], arguments->operands[i]) &&
                (j < i || !fluxctl_path_covers(arguments->operands[i], arguments->operands[j]));
        int r = is_covered ? 0 : fluxaws_watch(client, arguments->operands[i], print_wish, watcher);
        if (r < 0)
            return r;
    }
    return 0;
}

static void tell_connection(int priority, const char *text, void *data)
{
    (void)priority;
    (void)data;
    fprintf(stderr, "fluxctl: %s\n", text);
}

/* The signals are open only while it waits, so that none is overlooked. */
static void wait_for_news(struct fluxaws_client *client, const sigset_t *open_signals,
                          struct watcher *watcher)
{
    struct pollfd poll_fds[2] = {
        {.fd = fluxaws_get_fd(client), .events = (short)fluxaws_get_events(client)},
        {.fd = STDOUT_FILENO}, /* tells when its reader goes away */
    };
    int timeout_ms = fluxaws_get_timeout_ms(client);
    struct timespec timeout = {timeout_ms / 1000, timeout_ms % 1000 * 1000000L};
    if (ppoll(poll_fds, 2, timeout_ms < 0 ? NULL : &timeout, open_signals) > 0 &&
        poll_fds[1].revents != 0)
        watcher->is_over = true;
}

static enum fluxctl_exit run(struct fluxaws_client *client, const sigset_t *open_signals,
                             struct watcher *watcher)
{
    for (;;) {
        int r = fluxaws_dispatch(client, 0);
        if (r < 0) {
            fprintf(stderr, "fluxctl: %s\n", fluxaws_error_text(client));
            return FLUXCTL_REFUSED;
        }
        if (watcher->is_over || is_interrupted)
            return watcher->exit;
        if (r == 0)
            wait_for_news(client, open_signals, watcher);
    }
}

static void catch_signals(sigset_t *ret_open_signals)
{
    struct sigaction action = {.sa_handler = interrupt};
    sigset_t signals;
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGINT);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &signals, ret_open_signals);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    action.sa_handler = SIG_IGN;
    (void)sigaction(SIGPIPE, &action, NULL);
}

enum fluxctl_exit fluxctl_watch(const struct fluxctl_arguments *arguments)
{
    struct fluxaws_client *client = NULL;
    enum fluxctl_exit exit = fluxctl_connect(arguments, &client);
    if (exit != FLUXCTL_DONE)
        return exit;
    sigset_t open_signals;
    catch_signals(&open_signals);
    struct watcher watcher = {0};
    fluxaws_set_log_handler(client, tell_connection, NULL);
    int r = watch_all(arguments, client, &watcher);
    if (r < 0)
        exit = fluxctl_explain_question(arguments, client, r);
    else
        exit = run(client, &open_signals, &watcher);
    client = fluxaws_close(client);
    return exit;
}
