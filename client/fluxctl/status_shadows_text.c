/* The thing and its shadows: those first that somebody has to look at. */
#include "client/fluxctl/status_text.h"
#include <inttypes.h>

struct shadow_row {
    const struct json_node *node;
    int64_t rank; /* the higher, the more it needs to be seen */
};

static int64_t number(const struct status_page *page, const struct json_node *shadow,
                      const char *key)
{
    return json_number(json_find(&page->tree, shadow, key), 0);
}

/* What is the matter with it, in a word; "" if nothing is. */
static const char *state_of(const struct status_page *page, const struct json_node *shadow)
{
    int64_t code = number(page, shadow, "last_code");
    if (!json_is_null(json_find(&page->tree, shadow, "quarantined_for_ms")))
        return "quarantined";
    if (json_is(json_find(&page->tree, shadow, "view"), "unreadable"))
        return "unreadable";
    if (!json_is_null(json_find(&page->tree, shadow, "blocked_for_ms")))
        return code == 401 || code == 403 ? "not allowed" : "backing off";
    if (json_is(status_find(page, "link.state"), "up") &&
        !json_is_true(json_find(&page->tree, shadow, "heard")))
        return "not heard";
    return number(page, shadow, "in_flight") > 0 ? "in flight" : "";
}

static int64_t rank_of(const struct status_page *page, const struct json_node *shadow)
{
    const char *state = state_of(page, shadow);
    bool is_sick = state[0] != '\0' && state[0] != 'i';
    int64_t rank = number(page, shadow, "fill_percent");
    rank += number(page, shadow, "pending") > 0 ? 1000 : 0;
    rank += number(page, shadow, "refused") > 0 ? 2000 : 0;
    return rank + (is_sick ? 4000 : 0);
}

/* Keep the highest in their order; equal ones stay as they come. Returns how many there are in
 * all. */
static size_t choose(const struct status_page *page, struct shadow_row *rows, size_t wanted)
{
    const struct json_node *shadows = status_find(page, "shadows"), *shadow = NULL;
    size_t count = 0;
    while ((shadow = json_next(&page->tree, shadows, shadow)) != NULL) {
        struct shadow_row row = {shadow, rank_of(page, shadow)};
        size_t place = count < wanted ? count : wanted;
        while (place > 0 && rows[place - 1].rank < row.rank) {
            if (place < wanted)
                rows[place] = rows[place - 1];
            place--;
        }
        if (place < wanted)
            rows[place] = row;
        count++;
    }
    return count;
}

static void add_name(const struct status_page *page, struct screen_text *line,
                     const struct json_node *shadow)
{
    const struct json_node *thing = json_find(&page->tree, shadow, "thing");
    const struct json_node *name = json_find(&page->tree, shadow, "name");
    bool is_own = json_equals(thing, status_find(page, "thing"));
    if (json_is_null(name))
        screen_add(line, "(classic)");
    else
        screen_add_string(line, name, is_own ? 24 : 11);
    if (!is_own) {
        screen_add(line, " of ");
        screen_add_string(line, thing, 26 - line->columns);
    }
}

static void add_accepted(const struct status_page *page, struct screen_text *line,
                         const struct json_node *shadow)
{
    const struct json_node *version = json_find(&page->tree, shadow, "last_accepted_version");
    const struct json_node *ago = json_find(&page->tree, shadow, "last_accepted_ago_ms");
    if (json_is_null(version)) {
        screen_add(line, "-");
        return;
    }
    screen_add(line, "v%" PRId64, json_number(version, 0));
    if (json_is_null(ago))
        return;
    screen_add(line, ", ");
    screen_add_age(line, json_number(ago, 0));
}

static void print_row(const struct status_page *page, const struct json_node *shadow)
{
    struct screen_text line;
    screen_begin(&line, &page->view->screen);
    screen_pad(&line, 2);
    add_name(page, &line, shadow);
    screen_pad(&line, 26);
    screen_add(&line, " %4" PRId64 "%% %7" PRId64 " %7" PRId64 "  ",
               number(page, shadow, "fill_percent"), number(page, shadow, "pending"),
               number(page, shadow, "refused"));
    add_accepted(page, &line, shadow);
    screen_pad(&line, 68);
    screen_add(&line, " %s", state_of(page, shadow));
    screen_print(&line, 0, 1, SCREEN_PLAIN);
}

static int64_t sum(const struct status_page *page, const char *key)
{
    const struct json_node *shadows = status_find(page, "shadows"), *shadow = NULL;
    int64_t all = 0;
    while ((shadow = json_next(&page->tree, shadows, shadow)) != NULL)
        all += number(page, shadow, key);
    return all;
}

void status_print_shadows(const struct status_page *page)
{
    struct screen_text line;
    struct shadow_row rows[STATUS_ROWS];
    size_t count = choose(page, rows, STATUS_ROWS);
    status_line(page, &line, "thing");
    screen_add_string(&line, status_find(page, "thing"), 34);
    screen_add(&line, ", ");
    screen_add_count(&line, (int64_t)count, "shadow");
    screen_add(&line, ": %" PRId64 " pending, %" PRId64 " refused", sum(page, "pending"),
               sum(page, "refused"));
    status_end(&line, 1);
    if (count == 0)
        return;
    fputs("  SHADOW                    FILL PENDING REFUSED  ACCEPTED, AGO\n",
          page->view->screen.out);
    size_t shown = count > STATUS_ROWS ? STATUS_ROWS - 1 : count;
    for (size_t i = 0; i < shown; i++)
        print_row(page, rows[i].node);
    if (shown < count)
        fprintf(page->view->screen.out, "  and %zu more: fluxctl --json status has all\n",
                count - shown);
}
