#include "client/fluxctl/history_table.h"
#include <time.h>

/* Below it the clock was not set when the event was noted. */
#define PLAUSIBLE_SEC INT64_C(1577836800)

/* Where the columns begin. */
enum { EVENT_AT = 21, AFTER_AT = 36, IN_AT = 49, OUT_AT = 59, TIMES_AT = 69, REASON_AT = 4 };
#define REASON_LINES 4

static void add_time(struct screen_text *line, int64_t sec)
{
    const time_t moment = (time_t)sec;
    char text[32];
    struct tm parts;
    if (localtime_r(&moment, &parts) == NULL ||
        strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &parts) == 0)
        screen_add(line, "-");
    else
        screen_add(line, "%s", text);
}

static void add_duration(struct screen_text *line, const struct json_node *node)
{
    const int64_t ms = json_number(node, -1);
    if (ms < 0)
        screen_add(line, "-");
    else if (ms < 1000)
        screen_add(line, "%lld ms", (long long)ms);
    else
        screen_add_duration(line, ms);
}

static void add_bytes(struct screen_text *line, const struct json_node *node)
{
    const int64_t bytes = json_number(node, -1);
    if (bytes < 0)
        screen_add(line, "-");
    else
        screen_add_bytes(line, bytes);
}

static void print_event(const struct screen *screen, const struct json_tree *tree,
                        const struct json_node *event, int64_t now_sec)
{
    struct screen_text line;
    screen_begin(&line, screen);
    int64_t sec = json_number(json_find(tree, event, "time_sec"), 0);
    if (sec < PLAUSIBLE_SEC)
        sec = now_sec - json_number(json_find(tree, event, "ago_ms"), 0) / 1000;
    add_time(&line, sec);
    screen_pad(&line, EVENT_AT);
    screen_add_string(&line, json_find(tree, event, "event"), AFTER_AT - EVENT_AT - 1);
    screen_pad(&line, AFTER_AT);
    add_duration(&line, json_find(tree, event, "duration_ms"));
    screen_pad(&line, IN_AT);
    add_bytes(&line, json_find(tree, event, "bytes_in"));
    screen_pad(&line, OUT_AT);
    add_bytes(&line, json_find(tree, event, "bytes_out"));
    const int64_t repeats = json_number(json_find(tree, event, "repeats"), 1);
    screen_pad(&line, repeats > 1 ? TIMES_AT : 0);
    if (repeats > 1)
        screen_add(&line, "%lld times", (long long)repeats);
    screen_print(&line, REASON_AT, 1, SCREEN_PLAIN);

    const struct json_node *reason = json_find(tree, event, "reason");
    if (json_is_null(reason))
        return;
    screen_begin(&line, screen);
    screen_pad(&line, REASON_AT);
    screen_add_string(&line, reason, 0);
    screen_print(&line, REASON_AT, REASON_LINES, SCREEN_PLAIN);
}

static void print_titles(const struct screen *screen)
{
    struct screen_text line;
    screen_begin(&line, screen);
    screen_add(&line, "TIME");
    screen_pad(&line, EVENT_AT);
    screen_add(&line, "EVENT");
    screen_pad(&line, AFTER_AT);
    screen_add(&line, "AFTER");
    screen_pad(&line, IN_AT);
    screen_add(&line, "IN");
    screen_pad(&line, OUT_AT);
    screen_add(&line, "OUT");
    screen_print(&line, 0, 1, SCREEN_PLAIN);
}

void fluxctl_print_history(const struct screen *screen, const struct json_tree *tree,
                           int64_t now_sec)
{
    const struct json_node *events = json_find(tree, NULL, "events");
    const struct json_node *event = NULL;
    for (size_t i = 0; (event = json_next(tree, events, event)) != NULL; i++) {
        if (i == 0)
            print_titles(screen);
        print_event(screen, tree, event, now_sec);
    }
}
