/* The clients by name, connections of the same name together. */
#include "client/fluxctl/status_text.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct group {
    const struct json_node *name;
    int64_t connections, reports, rejected;
};

struct groups {
    struct group *items; /* owned */
    size_t count;
};

static int compare_names(const struct json_node *a, const struct json_node *b)
{
    size_t a_size = a != NULL && a->kind == JSON_STRING ? a->size : 0;
    size_t b_size = b != NULL && b->kind == JSON_STRING ? b->size : 0;
    size_t size = a_size < b_size ? a_size : b_size;
    int order = size > 0 ? memcmp(a->text, b->text, size) : 0;
    return order != 0 ? order : (a_size > b_size) - (a_size < b_size);
}

static int by_name(const void *a, const void *b)
{
    return compare_names(((const struct group *)a)->name, ((const struct group *)b)->name);
}

/* Who is refused comes first, then who reports most; names decide, so that it is always the same.
 */
static int by_weight(const void *a, const void *b)
{
    const struct group *left = a, *right = b;
    if ((left->rejected > 0) != (right->rejected > 0))
        return left->rejected > 0 ? -1 : 1;
    if (left->reports != right->reports)
        return left->reports > right->reports ? -1 : 1;
    return by_name(a, b);
}

static int read_clients(const struct status_page *page, struct groups *groups)
{
    const struct json_tree *tree = &page->tree;
    const struct json_node *list = status_find(page, "clients.list"), *client = NULL;
    groups->items = calloc(tree->count + 1, sizeof(*groups->items));
    if (groups->items == NULL)
        return -ENOMEM;
    while ((client = json_next(tree, list, client)) != NULL) {
        if (page->view->own_pid != 0 &&
            json_number(json_find(tree, client, "pid"), 0) == page->view->own_pid)
            continue;
        groups->items[groups->count++] = (struct group){
            .name = json_find(tree, client, "name"),
            .connections = 1,
            .reports = json_number(json_find(tree, client, "reports"), 0),
            .rejected = json_number(json_find(tree, client, "rejected"), 0),
        };
    }
    return 0;
}

static void merge(struct groups *groups)
{
    size_t kept = 0;
    qsort(groups->items, groups->count, sizeof(*groups->items), by_name);
    for (size_t i = 0; i < groups->count; i++) {
        struct group *group = &groups->items[i];
        if (kept > 0 && by_name(&groups->items[kept - 1], group) == 0) {
            groups->items[kept - 1].connections++;
            groups->items[kept - 1].reports += group->reports;
            groups->items[kept - 1].rejected += group->rejected;
        } else {
            groups->items[kept++] = *group;
        }
    }
    groups->count = kept;
    qsort(groups->items, groups->count, sizeof(*groups->items), by_weight);
}

static void add_group(struct screen_text *line, const struct group *group)
{
    if (json_is_null(group->name))
        screen_add(line, "(no name)");
    else
        screen_add_string(line, group->name, 20);
    if (group->connections > 1)
        screen_add(line, " x%" PRId64, group->connections);
    screen_add(line, " (");
    screen_add_count(line, group->reports, "report");
    if (group->rejected > 0)
        screen_add(line, ", %" PRId64 " rejected", group->rejected);
    screen_add(line, ")");
}

static void print_groups(const struct status_page *page, const struct groups *groups)
{
    struct screen_text line;
    int64_t connections = 0;
    for (size_t i = 0; i < groups->count; i++)
        connections += groups->items[i].connections;
    size_t shown = groups->count > STATUS_ROWS ? STATUS_ROWS - 1 : groups->count;
    status_line(page, &line, "clients");
    if (shown > 0)
        screen_add(&line, "%" PRId64 " connected: ", connections);
    else
        screen_add(&line, "none but this one");
    for (size_t i = 0; i < shown; i++) {
        add_group(&line, &groups->items[i]);
        screen_add(&line, i + 1 < shown ? ", " : "");
    }
    if (shown < groups->count) {
        screen_add(&line, " and ");
        screen_add_count(&line, (int64_t)(groups->count - shown), "more name");
    }
    status_end(&line, 3);
}

int status_print_clients(const struct status_page *page)
{
    struct groups groups = {0};
    int r = read_clients(page, &groups);
    if (r == 0) {
        merge(&groups);
        print_groups(page, &groups);
    }
    free(groups.items);
    return r;
}
