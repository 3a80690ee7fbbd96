/* actor: a program on the device that does as it is told, line by line on stdin, through the public
 * library. Prints one JSON object a line: what became of a command, an answer, or a wish that it
 * was told. Judges nothing.
 *
 * Commands; "-" stands for the default or for all, what is last may hold spaces:
 *   shadow THING SHADOW      set PATH JSON     unset PATH       report JSON     replace PATH JSON
 *   begin | send | cancel    settle PATH       watch PATH       unwatch ID      will JSON
 *   flush LEVEL MS           forget PATH       reset all|one    get SECTION PATH     keys PATH
 *   want LEVEL               sleep MS (deaf meanwhile)          close           exit (without it)
 */
#include "client/fluxaws.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES 70000
#define WAIT_MS        30000

struct actor {
    struct fluxaws_client *client;
    char line[LINE_MAX_BYTES];
    size_t filled;
    bool is_over;
};

/* Texts of the library hold no control characters but may hold quotes. */
static void print_text(const char *text)
{
    putchar('"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            putchar('\\');
        putchar(*text);
    }
    putchar('"');
}

static void on_answer(struct fluxaws_client *client, const struct fluxaws_answer *answer,
                      void *data)
{
    (void)client;
    (void)data;
    printf("{\"answer\":%llu,\"level\":%d,\"rejected\":%s,\"version\":%lld,\"code\":%d,"
           "\"deadband\":%s,\"path\":",
           (unsigned long long)answer->last_id, (int)answer->level,
           answer->rejected ? "true" : "false", (long long)answer->version, answer->code,
           answer->deadband ? "true" : "false");
    print_text(answer->path != NULL ? answer->path : "");
    printf(",\"text\":");
    print_text(answer->text != NULL ? answer->text : "");
    printf("}\n");
}

static void on_desired(struct fluxaws_client *client, const struct fluxaws_desired *desired,
                       void *data)
{
    (void)client;
    (void)data;
    printf("{\"desired\":");
    print_text(desired->path);
    printf(",\"value\":%s,\"differs\":%s,\"version\":%lld,\"stale\":%s,\"error\":%d,\"shadow\":",
           desired->json != NULL ? desired->json : "null", desired->json != NULL ? "true" : "false",
           (long long)desired->version, desired->stale ? "true" : "false", desired->error);
    print_text(desired->shadow != NULL ? desired->shadow : "");
    printf("}\n");
}

/* The next word of a command; "-" is NULL. The last one takes all there is. */
static char *next(char **rest, bool is_last)
{
    char *word = *rest;
    char *end = is_last ? NULL : strchr(word, ' ');
    *rest = end != NULL ? end + 1 : word + strlen(word);
    if (end != NULL)
        *end = '\0';
    return strcmp(word, "-") == 0 || *word == '\0' ? NULL : word;
}

static long number(char **rest)
{
    const char *word = next(rest, false);
    return word != NULL ? atol(word) : 0;
}

static enum fluxaws_level level(char **rest)
{
    const char *word = next(rest, false);
    if (word == NULL || strcmp(word, "queued") == 0)
        return FLUXAWS_QUEUED;
    return strcmp(word, "stored") == 0 ? FLUXAWS_STORED : FLUXAWS_ACCEPTED;
}

static int print_json(int r, char *json)
{
    if (r == 0)
        printf("{\"json\":%s}\n", json);
    free(json);
    return r;
}

static int do_get(struct actor *actor, char *rest)
{
    const char *word = next(&rest, false);
    enum fluxaws_section section = FLUXAWS_REPORTED;
    if (word != NULL && strcmp(word, "desired") == 0)
        section = FLUXAWS_DESIRED;
    else if (word != NULL && strcmp(word, "delta") == 0)
        section = FLUXAWS_DELTA;
    char *json = NULL;
    int r = fluxaws_get(actor->client, section, next(&rest, true), WAIT_MS, &json);
    return print_json(r, r == 0 ? json : NULL);
}

static int do_keys(struct actor *actor, char *rest)
{
    char *json = NULL;
    int r = fluxaws_get_keys(actor->client, next(&rest, true), WAIT_MS, &json);
    return print_json(r, r == 0 ? json : NULL);
}

static int do_set(struct actor *actor, char *rest)
{
    const char *path = next(&rest, false);
    return fluxaws_set_json(actor->client, path, rest);
}

static int do_unset(struct actor *actor, char *rest)
{
    return fluxaws_unset(actor->client, next(&rest, true));
}

static int do_report(struct actor *actor, char *rest)
{
    return fluxaws_report_json(actor->client, rest);
}

static int do_replace(struct actor *actor, char *rest)
{
    const char *path = next(&rest, false);
    return fluxaws_replace_json(actor->client, path, rest);
}

static int do_begin(struct actor *actor, char *rest)
{
    (void)rest;
    return fluxaws_report_begin(actor->client);
}

static int do_send(struct actor *actor, char *rest)
{
    (void)rest;
    return fluxaws_report_send(actor->client);
}

static int do_cancel(struct actor *actor, char *rest)
{
    (void)rest;
    fluxaws_report_cancel(actor->client);
    return 0;
}

static int do_settle(struct actor *actor, char *rest)
{
    return fluxaws_settle(actor->client, next(&rest, true));
}

static int do_watch(struct actor *actor, char *rest)
{
    return fluxaws_watch(actor->client, next(&rest, true), on_desired, NULL);
}

static int do_unwatch(struct actor *actor, char *rest)
{
    return fluxaws_unwatch(actor->client, (int)number(&rest));
}

static int do_will(struct actor *actor, char *rest)
{
    return fluxaws_will_json(actor->client, next(&rest, true));
}

static int do_shadow(struct actor *actor, char *rest)
{
    const char *thing = next(&rest, false);
    return fluxaws_use_shadow(actor->client, thing, next(&rest, true));
}

static int do_flush(struct actor *actor, char *rest)
{
    enum fluxaws_level wanted = level(&rest);
    return fluxaws_flush(actor->client, wanted, (int)number(&rest));
}

static int do_want(struct actor *actor, char *rest)
{
    return fluxaws_want(actor->client, level(&rest));
}

static int do_forget(struct actor *actor, char *rest)
{
    return fluxaws_forget(actor->client, next(&rest, true), WAIT_MS);
}

static int do_reset(struct actor *actor, char *rest)
{
    return fluxaws_reset(actor->client, strcmp(rest, "all") == 0, WAIT_MS);
}

static int do_sleep(struct actor *actor, char *rest)
{
    (void)actor;
    long ms = number(&rest);
    struct timespec pause = {ms / 1000, ms % 1000 * 1000000};
    while (nanosleep(&pause, &pause) < 0 && errno == EINTR)
        ;
    return 0;
}

static int do_close(struct actor *actor, char *rest)
{
    (void)rest;
    actor->client = fluxaws_close(actor->client);
    actor->is_over = true;
    return 0;
}

static int do_exit(struct actor *actor, char *rest)
{
    (void)actor;
    (void)rest;
    printf("{\"did\":\"exit\",\"result\":0}\n");
    (void)fflush(stdout);
    _exit(0);
}

static int obey(struct actor *actor, const char *command, char *rest)
{
    static const struct {
        const char *name;
        int (*act)(struct actor *actor, char *rest);
    } known[] = {
        {"set", do_set},         {"unset", do_unset},   {"report", do_report},
        {"replace", do_replace}, {"begin", do_begin},   {"send", do_send},
        {"cancel", do_cancel},   {"settle", do_settle}, {"watch", do_watch},
        {"unwatch", do_unwatch}, {"will", do_will},     {"shadow", do_shadow},
        {"flush", do_flush},     {"want", do_want},     {"forget", do_forget},
        {"reset", do_reset},     {"get", do_get},       {"keys", do_keys},
        {"sleep", do_sleep},     {"close", do_close},   {"exit", do_exit},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        if (strcmp(known[i].name, command) == 0)
            return known[i].act(actor, rest);
    }
    return -ENOSYS;
}

static void act(struct actor *actor, char *line)
{
    char *rest = line;
    const char *command = next(&rest, false);
    if (command == NULL)
        return;
    int r = obey(actor, command, rest);
    printf("{\"did\":");
    print_text(command);
    printf(",\"result\":%d,\"text\":", r);
    print_text(r < 0 && actor->client != NULL ? fluxaws_error_text(actor->client) : "");
    printf("}\n");
}

/* Act on every whole line there is; the end of the input ends the program like `exit`. */
static void read_commands(struct actor *actor)
{
    ssize_t got =
        read(STDIN_FILENO, actor->line + actor->filled, LINE_MAX_BYTES - 1 - actor->filled);
    if (got <= 0)
        (void)do_exit(actor, NULL);
    actor->filled += (size_t)got;
    actor->line[actor->filled] = '\0';
    char *begin = actor->line;
    for (char *end; !actor->is_over && (end = strchr(begin, '\n')) != NULL; begin = end + 1) {
        *end = '\0';
        act(actor, begin);
    }
    actor->filled = strlen(begin);
    memmove(actor->line, begin, actor->filled + 1);
}

int main(int argc, char **argv)
{
    static struct actor actor;
    struct fluxaws_options options = {.size = sizeof(options),
                                      .name = argc > 1 ? argv[1] : "actor"};
    int r = fluxaws_open(&actor.client, &options);
    if (r < 0) {
        fprintf(stderr, "actor: open: %s\n", fluxaws_strerror(r));
        return 1;
    }
    (void)fluxaws_on_answer(actor.client, on_answer, NULL);
    (void)fluxaws_want(actor.client, FLUXAWS_ACCEPTED);
    while (!actor.is_over) {
        (void)fflush(stdout);
        struct pollfd fds[2] = {
            {.fd = STDIN_FILENO, .events = POLLIN},
            {.fd = fluxaws_get_fd(actor.client), .events = (short)fluxaws_get_events(actor.client)},
        };
        (void)poll(fds, 2, fluxaws_get_timeout_ms(actor.client));
        r = fluxaws_dispatch(actor.client, 0);
        if (r < 0)
            fprintf(stderr, "actor: dispatch: %s\n", fluxaws_strerror(r));
        if (fds[0].revents != 0)
            read_commands(&actor);
    }
    return 0;
}
