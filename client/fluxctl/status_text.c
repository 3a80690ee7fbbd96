#include "client/fluxctl/status_text.h"
#include <inttypes.h>
#include <string.h>
#include <time.h>

#define STATUS_HEALTHY "healthy"

const struct json_node *status_find(const struct status_page *page, const char *path)
{
    return json_find(&page->tree, NULL, path);
}

int64_t status_number(const struct status_page *page, const char *path)
{
    return json_number(status_find(page, path), 0);
}

void status_line(const struct status_page *page, struct screen_text *ret_line, const char *section)
{
    screen_begin(ret_line, &page->view->screen);
    screen_add(ret_line, "%s", section);
    screen_pad(ret_line, STATUS_INDENT);
}

void status_end(const struct screen_text *line, unsigned lines)
{
    screen_print(line, STATUS_INDENT, lines, SCREEN_PLAIN);
}

/* --- the first line --- */

/* Tell whether the summary ends in the reason of the link, so that it is not said twice. */
static bool is_reason_in_summary(const struct status_page *page)
{
    const struct json_node *summary = status_find(page, "summary");
    const struct json_node *reason = status_find(page, "link.last_reason");
    return summary != NULL && reason != NULL && reason->kind == JSON_STRING &&
           summary->kind == JSON_STRING && summary->size >= reason->size &&
           memcmp(summary->text + summary->size - reason->size, reason->text, reason->size) == 0;
}

static void print_summary(const struct status_page *page)
{
    const struct json_node *summary = status_find(page, "summary");
    struct screen_text line;
    screen_begin(&line, &page->view->screen);
    screen_add_string(&line, summary, 0);
    screen_print(&line, 2, is_reason_in_summary(page) ? 3 : 2,
                 json_is(summary, STATUS_HEALTHY) ? SCREEN_GREEN : SCREEN_RED);
    fputc('\n', page->view->screen.out);
}

/* --- the link --- */

/* A day, and perhaps the time, of where the device is. */
static void add_date(struct screen_text *line, int64_t sec, bool with_time)
{
    time_t time = (time_t)sec;
    struct tm tm;
    if (localtime_r(&time, &tm) == NULL)
        return;
    screen_add(line, "%04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
    if (with_time)
        screen_add(line, " %02d:%02d", tm.tm_hour, tm.tm_min);
}

static void print_link_state(const struct status_page *page)
{
    struct screen_text line;
    int64_t for_ms = status_number(page, "link.for_ms");
    status_line(page, &line, "link");
    screen_add_string(&line, status_find(page, "link.state"), 24);
    if (page->view->now_sec > 0) {
        screen_add(&line, " since ");
        add_date(&line, page->view->now_sec - for_ms / 1000, true);
    }
    screen_add(&line, page->view->now_sec > 0 ? " (" : " for ");
    screen_add_duration(&line, for_ms);
    screen_add(&line, page->view->now_sec > 0 ? ")" : "");
    const struct json_node *next = status_find(page, "link.next_attempt_in_ms");
    if (!json_is_null(next)) {
        screen_add(&line, ", next try in ");
        screen_add_duration(&line, json_number(next, 0) + 999);
    }
    status_end(&line, 2);
}

static void print_link_place(const struct status_page *page)
{
    struct screen_text line;
    status_line(page, &line, "");
    screen_add(&line, "to ");
    screen_add_string(&line, status_find(page, "link.endpoint"), 61);
    screen_add(&line, ":%" PRId64, status_number(page, "link.port"));
    const struct json_node *proxy = status_find(page, "link.proxy");
    if (!json_is_null(proxy)) {
        screen_add(&line, " through the proxy ");
        screen_add_string(&line, proxy, 61);
    }
    status_end(&line, 1);

    status_line(page, &line, "");
    const struct json_node *credentials = status_find(page, "link.credentials");
    screen_add(&line, "certificate ");
    if (json_is_null(credentials))
        screen_add(&line, "not looked at yet");
    else
        screen_add_string(&line, credentials, 16);
    int64_t end_sec = status_number(page, "link.certificate_not_after");
    if (end_sec > 0) {
        screen_add(&line, " until ");
        add_date(&line, end_sec, false);
    }
    screen_add(&line, "; ");
    screen_add_count(&line, status_number(page, "link.connections"), "connection");
    screen_add(&line, " in ");
    screen_add_count(&line, status_number(page, "link.attempts"), "attempt");
    status_end(&line, 1);
}

/* Tell whether the last reason is why the link is not up now. */
static bool is_present_reason(const struct status_page *page, const struct json_node *last)
{
    const struct json_node *reason = status_find(page, "link.reason");
    return reason != NULL && reason->kind == JSON_STRING && reason->size == last->size &&
           memcmp(reason->text, last->text, last->size) == 0;
}

static void print_link_reason(const struct status_page *page)
{
    const struct json_node *reason = status_find(page, "link.last_reason");
    if (reason == NULL || reason->kind != JSON_STRING || is_reason_in_summary(page))
        return;
    struct screen_text line;
    status_line(page, &line, "");
    screen_add(&line, is_present_reason(page, reason) ? "reason: " : "lost or failed before: ");
    screen_add_string(&line, reason, 0);
    status_end(&line, 1);
}

static void print_wire(const struct status_page *page)
{
    struct screen_text line;
    status_line(page, &line, "");
    screen_add_bytes(&line, status_number(page, "link.bytes_out"));
    screen_add(&line, " sent and ");
    screen_add_bytes(&line, status_number(page, "link.bytes_in"));
    screen_add(&line, " received on the wire");
    status_end(&line, 1);
}

/* --- what it costs, and the rest --- */

static int64_t sum(const struct status_page *page, const char *counter)
{
    const struct json_node *shadows = status_find(page, "shadows"), *shadow = NULL;
    int64_t all = 0;
    while ((shadow = json_next(&page->tree, shadows, shadow)) != NULL)
        all += json_number(
            json_find(&page->tree, json_find(&page->tree, shadow, "counters"), counter), 0);
    return all;
}

static void print_counters(const struct status_page *page)
{
    struct screen_text line;
    status_line(page, &line, "counters");
    screen_add_count(&line, status_number(page, "clients.reports"), "report");
    screen_add(&line, ", %" PRId64 " rejected; ", status_number(page, "clients.reports_rejected"));
    screen_add_count(&line, sum(page, "updates_sent"), "update");
    screen_add(&line, ": %" PRId64 " accepted, %" PRId64 " rejected, %" PRId64 " lost",
               sum(page, "updates_accepted"), sum(page, "updates_rejected"),
               sum(page, "updates_timed_out"));
    status_end(&line, 2);
}

static void print_cost(const struct status_page *page)
{
    struct screen_text line;
    const struct json_node *limit = status_find(page, "cloud.daily.limit");
    status_line(page, &line, "in 24 h");
    screen_add_count(&line, status_number(page, "cloud.daily.operations"), "operation");
    if (!json_is_null(limit))
        screen_add(&line, " of %" PRId64, json_number(limit, 0));
    screen_add(&line, ", ");
    screen_add_count(&line, status_number(page, "cloud.daily.messages"), "metered message");
    const struct json_node *spacing = status_find(page, "cloud.daily.spacing_ms");
    if (!json_is_null(spacing)) {
        screen_add(&line, "; one operation every ");
        screen_add_duration(&line, json_number(spacing, 0));
    }
    status_end(&line, 1);
}

static void print_disk(const struct status_page *page)
{
    struct screen_text line;
    status_line(page, &line, "disk");
    screen_add_string(&line, status_find(page, "storage.state"), 16);
    if (!json_is(status_find(page, "storage.mode"), "volatile")) {
        screen_add(&line, ": ");
        screen_add_bytes(&line, status_number(page, "storage.file_bytes"));
        screen_add(&line, " of ");
        screen_add_bytes(&line, status_number(page, "storage.max_bytes"));
        screen_add(&line, ", ");
        screen_add_bytes(&line, status_number(page, "storage.bytes_written_day"));
        screen_add(&line, " written in 24 h");
    }
    const struct json_node *note = status_find(page, "storage.note");
    if (!json_is_null(note)) {
        screen_add(&line, "; ");
        screen_add_string(&line, note, 0);
    }
    status_end(&line, 1);
}

static void print_daemon(const struct status_page *page)
{
    struct screen_text line;
    status_line(page, &line, "daemon");
    screen_add(&line, "fluxawsd ");
    screen_add_string(&line, status_find(page, "version"), 16);
    screen_add(&line, json_is(status_find(page, "state"), "stopping") ? ", stopping after "
                                                                      : ", running for ");
    screen_add_duration(&line, status_number(page, "uptime_ms"));
    screen_add(&line, ", configuration ");
    screen_add_string(&line, status_find(page, "configuration"), 10);
    const struct json_node *level_for = status_find(page, "log_level_for_ms");
    screen_add(&line, ", log ");
    screen_add_string(&line, status_find(page, "log_level"), 10);
    if (!json_is_null(level_for)) {
        screen_add(&line, " for ");
        screen_add_age(&line, json_number(level_for, 0));
    }
    status_end(&line, 1);
}

int status_print(const char *json, const struct status_view *view)
{
    struct status_page page = {.view = view};
    int r = json_tree_read(&page.tree, json);
    if (r < 0)
        return r;
    print_summary(&page);
    print_link_state(&page);
    print_link_reason(&page);
    print_link_place(&page);
    print_wire(&page);
    status_print_shadows(&page);
    r = status_print_clients(&page);
    print_counters(&page);
    print_cost(&page);
    print_disk(&page);
    print_daemon(&page);
    json_tree_clear(&page.tree);
    return r;
}
