#include "client/fluxctl/wait.h"
#include "client/fluxctl/delay.h"
#include "client/fluxctl/output.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const char *const level_names[] = {"queued", "stored", "accepted"};

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void note_answer(struct fluxaws_client *client, const struct fluxaws_answer *answer,
                        void *data)
{
    (void)client;
    struct fluxctl_wait *wait = data;
    if (!answer->rejected) {
        if (answer->version > wait->version)
            wait->version = answer->version;
        wait->deadband = wait->deadband || answer->deadband;
        return;
    }
    if (wait->rejected_count++ > 0)
        return;
    wait->code = answer->code;
    (void)snprintf(wait->path, sizeof(wait->path), "%s", answer->path);
    (void)snprintf(wait->text, sizeof(wait->text), "%s", answer->text);
}

enum fluxctl_exit fluxctl_wait_begin(struct fluxctl_wait *wait,
                                     const struct fluxctl_arguments *arguments,
                                     struct fluxaws_client *client)
{
    *wait = (struct fluxctl_wait){.arguments = arguments, .client = client};
    (void)fluxaws_on_answer(client, note_answer, wait);
    if (fluxaws_want(client, arguments->wait) == 0)
        return FLUXCTL_DONE;
    fprintf(stderr, "fluxctl: %s\nTry: --wait accepted\n", fluxaws_error_text(client));
    return FLUXCTL_REFUSED;
}

static enum fluxctl_exit explain_rejection(const struct fluxctl_wait *wait)
{
    fprintf(stderr, "fluxctl: rejected");
    if (wait->path[0] != '\0')
        fprintf(stderr, ": %s", wait->path);
    fprintf(stderr, ": %s (code %d)", wait->text, wait->code);
    if (wait->rejected_count > 1)
        fprintf(stderr, ", the first of %llu rejections", (unsigned long long)wait->rejected_count);
    fputc('\n', stderr);
    if (wait->arguments->json)
        fluxctl_print_rejection(wait->code, wait->path, wait->text);
    return wait->code == EACCES ? FLUXCTL_NO_PERMISSION : FLUXCTL_REFUSED;
}

static enum fluxctl_exit explain_timeout(const struct fluxctl_wait *wait)
{
    int connected = fluxaws_is_connected(wait->client);
    if (connected != 1) {
        (void)fluxctl_explain_connection(wait->arguments, connected < 0 ? connected : -ETIMEDOUT);
        fprintf(stderr, "The connection was lost before the daemon answered.\n");
        return connected == -EACCES ? FLUXCTL_NO_PERMISSION : FLUXCTL_NO_DAEMON;
    }
    fprintf(stderr, "fluxctl: not %s within %g s; the report still stands\n",
            level_names[wait->arguments->wait], wait->arguments->timeout_ms / 1000.0);
    fluxctl_explain_delay(wait->client, wait->arguments->wait);
    return FLUXCTL_TIMED_OUT;
}

enum fluxctl_exit fluxctl_wait_end(struct fluxctl_wait *wait, bool quick)
{
    int64_t deadline_ms = now_ms() + wait->arguments->timeout_ms;
    while (fluxaws_count_waiting(wait->client) > 0 && !(quick && wait->rejected_count > 0)) {
        int64_t left_ms = deadline_ms - now_ms();
        int r = fluxaws_dispatch(wait->client, left_ms > 0 ? (int)left_ms : 0);
        if (r < 0) {
            fprintf(stderr, "fluxctl: %s\n", fluxaws_error_text(wait->client));
            return FLUXCTL_REFUSED;
        }
        if (left_ms <= 0)
            break;
    }
    while (fluxaws_dispatch(wait->client, 0) > 0)
        continue;
    if (wait->rejected_count > 0)
        return explain_rejection(wait);
    if (fluxaws_count_waiting(wait->client) > 0)
        return explain_timeout(wait);
    fluxctl_print_level(wait->arguments, level_names[wait->arguments->wait], wait->version,
                        wait->deadband);
    return FLUXCTL_DONE;
}

enum fluxctl_exit fluxctl_explain_report(struct fluxaws_client *client, int error)
{
    fprintf(stderr, "fluxctl: %s\n", fluxaws_error_text(client));
    switch (-error) {
    case ENOBUFS:
    case E2BIG:
    case EMSGSIZE:
    case ENOMEM:
        return FLUXCTL_REFUSED;
    default:
        return FLUXCTL_USAGE;
    }
}
