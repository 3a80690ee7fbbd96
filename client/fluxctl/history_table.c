#include "client/fluxctl/history_table.h"
#include "client/fluxctl/json_walk.h"
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Below it the clock was not set when the event was noted. */
#define PLAUSIBLE_SEC INT64_C(1577836800)

#define COLUMNS       80
#define REASON_INDENT 4

struct slice {
    const char *text;
    size_t size; /* 0: null, or not there */
};

/* The names are the contract (fluxctl(1)). */
enum field {
    FIELD_TIME,
    FIELD_AGO,
    FIELD_EVENT,
    FIELD_REASON,
    FIELD_DURATION,
    FIELD_IN,
    FIELD_OUT,
    FIELD_REPEATS,
    FIELDS
};
static const char *const names[FIELDS] = {
    [FIELD_TIME] = "time_sec", [FIELD_AGO] = "ago_ms",           [FIELD_EVENT] = "event",
    [FIELD_REASON] = "reason", [FIELD_DURATION] = "duration_ms", [FIELD_IN] = "bytes_in",
    [FIELD_OUT] = "bytes_out", [FIELD_REPEATS] = "repeats",
};

/* ---- cells ---- */

static int64_t number(struct slice slice)
{
    return slice.size > 0 ? strtoll(slice.text, NULL, 10) : 0;
}

static void write_time(char *ret_text, size_t size, const struct slice *fields, int64_t now_sec)
{
    int64_t sec = number(fields[FIELD_TIME]);
    if (sec < PLAUSIBLE_SEC)
        sec = now_sec - number(fields[FIELD_AGO]) / 1000;
    const time_t moment = (time_t)sec;
    struct tm parts;
    if (localtime_r(&moment, &parts) == NULL ||
        strftime(ret_text, size, "%Y-%m-%d %H:%M:%S", &parts) == 0)
        (void)snprintf(ret_text, size, "-");
}

static void write_duration(char *ret_text, size_t size, struct slice slice)
{
    static const struct {
        int64_t ms;
        const char *unit;
    } units[] = {{86400000, "d"}, {3600000, "h"}, {60000, "min"}, {1000, "s"}, {1, "ms"}};
    const int64_t ms = number(slice);
    (void)snprintf(ret_text, size, "-");
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]) && slice.size > 0; i++) {
        if (ms < 2 * units[i].ms && i + 1 < sizeof(units) / sizeof(units[0]))
            continue; /* 90 min say more than 1 h */
        (void)snprintf(ret_text, size, "%lld %s", (long long)(ms / units[i].ms), units[i].unit);
        return;
    }
}

static void write_bytes(char *ret_text, size_t size, struct slice slice)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    const double all = (double)number(slice);
    double bytes = all;
    size_t unit = 0;
    while (bytes >= 999.5 && unit + 1 < sizeof(units) / sizeof(units[0])) {
        bytes /= 1000;
        unit++;
    }
    if (slice.size == 0)
        (void)snprintf(ret_text, size, "-");
    else
        (void)snprintf(ret_text, size, unit > 0 && bytes < 9.95 ? "%.1f %s" : "%.0f %s", bytes,
                       units[unit]);
}

/* Print a text in lines of at most 80 columns, cut at blanks where there are any. */
static void print_wrapped(FILE *file, struct slice text)
{
    const size_t width = COLUMNS - REASON_INDENT;
    while (text.size > 0) {
        size_t size = text.size;
        if (size > width) {
            size = width;
            while (size > 0 && text.text[size] != ' ')
                size--;
            if (size == 0)
                size = width;
            while (size > 1 && ((unsigned char)text.text[size] & 0xc0) == 0x80)
                size--;
        }
        fprintf(file, "%*s", REASON_INDENT, "");
        for (size_t i = 0; i < size; i++) {
            if (text.text[i] == '\\' && i + 1 < size && strchr("\"\\/", text.text[i + 1]))
                i++;
            fputc(text.text[i], file);
        }
        fputc('\n', file);
        while (size < text.size && text.text[size] == ' ')
            size++;
        text = (struct slice){text.text + size, text.size - size};
    }
}

static void print_event(FILE *file, const struct slice *fields, int64_t now_sec)
{
    char when[32], after[24], in[24], out[24], times[32] = "";
    write_time(when, sizeof(when), fields, now_sec);
    write_duration(after, sizeof(after), fields[FIELD_DURATION]);
    write_bytes(in, sizeof(in), fields[FIELD_IN]);
    write_bytes(out, sizeof(out), fields[FIELD_OUT]);
    if (number(fields[FIELD_REPEATS]) > 1)
        (void)snprintf(times, sizeof(times), "%lld times",
                       (long long)number(fields[FIELD_REPEATS]));
    char line[128];
    int size =
        snprintf(line, sizeof(line), "%-19s  %-15.*s  %-7s  %7s  %7s  %s", when,
                 (int)fields[FIELD_EVENT].size, fields[FIELD_EVENT].text, after, in, out, times);
    while (size > 0 && line[size - 1] == ' ')
        size--;
    fprintf(file, "%.*s\n", size, line);
    print_wrapped(file, fields[FIELD_REASON]);
}

/* ---- reading ---- */

static enum field find_field(const struct json_walk *key)
{
    unsigned i = 0;
    while (i < FIELDS &&
           (strlen(names[i]) != key->size || memcmp(names[i], key->text, key->size) != 0))
        i++;
    return (enum field)i;
}

/* Read the object that has just begun. */
static void read_event(struct json_walk *walk, struct slice ret_fields[static FIELDS])
{
    for (;;) {
        enum json_walk_event event = json_walk_next(walk);
        if (event != JSON_WALK_KEY)
            return;
        const enum field field = find_field(walk);
        event = json_walk_next(walk);
        if (event == JSON_WALK_BEGIN_OBJECT || event == JSON_WALK_BEGIN_ARRAY)
            json_walk_skip(walk);
        const bool is_null = event == JSON_WALK_OTHER && walk->text[0] == 'n';
        if (field < FIELDS && !is_null)
            ret_fields[field] = (struct slice){walk->text, walk->size};
    }
}

void fluxctl_print_history(FILE *file, const char *json, int64_t now_sec)
{
    struct json_walk walk;
    json_walk_init(&walk, json);
    bool is_titled = false;
    enum json_walk_event event;
    while ((event = json_walk_next(&walk)) != JSON_WALK_END && event != JSON_WALK_BEGIN_ARRAY) {
    }
    while ((event = json_walk_next(&walk)) == JSON_WALK_BEGIN_OBJECT) {
        struct slice fields[FIELDS] = {{"", 0}};
        for (unsigned i = 0; i < FIELDS; i++)
            fields[i].text = "";
        read_event(&walk, fields);
        if (!is_titled)
            fprintf(file, "%-19s  %-15s  %-7s  %7s  %7s\n", "TIME", "EVENT", "AFTER", "IN", "OUT");
        is_titled = true;
        print_event(file, fields, now_sec);
    }
}
