#include "tests/scenario/sim_watch.h"

#include "daemon/shadow/shadow_private.h"
#include "tests/scenario/oracle.h"
#include "tests/scenario/oracle_store.h"
#include "tests/scenario/sim_rows.h"
#include <stdlib.h>
#include <string.h>

/* So many news in a turn are without end. */
#define WATCH_NEWS_MAX 10000u

static struct sim_watcher *watch_begin(struct sim *sim, struct sim_watcher *watcher)
{
    json_object_clear(watcher->told);
    json_object_clear(watcher->told_at);
    watcher->cursor = (struct shadow_wish_cursor){0};
    watcher->version = 0;
    watcher->era = 0;
    watcher->heard_all = false;
    shadow_add_watcher(sim->shadow);
    return watcher;
}

struct sim_watcher *sim_watch(struct sim *sim, const char *path, unsigned slow)
{
    struct sim_watcher *watcher = calloc(1, sizeof(*watcher));
    if (watcher == NULL)
        abort();
    (void)snprintf(watcher->path, sizeof(watcher->path), "%s", path);
    watcher->slow = slow;
    watcher->told = json_object();
    watcher->told_at = json_object();
    watcher->next = sim->watchers;
    sim->watchers = watcher;
    return watch_begin(sim, watcher);
}

static void watch_free(struct sim_watcher *watcher)
{
    json_decref(watcher->told);
    json_decref(watcher->told_at);
    free(watcher);
}

void sim_unwatch(struct sim *sim, struct sim_watcher *watcher)
{
    struct sim_watcher **place = &sim->watchers;
    while (*place != watcher)
        place = &(*place)->next;
    *place = watcher->next;
    shadow_remove_watcher(sim->shadow);
    watch_free(watcher);
}

void sim_watch_start(struct sim *sim)
{
    for (struct sim_watcher *each = sim->watchers; each != NULL; each = each->next)
        (void)watch_begin(sim, each);
}

void sim_watch_clear(struct sim *sim)
{
    while (sim->watchers != NULL) {
        struct sim_watcher *next = sim->watchers->next;
        watch_free(sim->watchers);
        sim->watchers = next;
    }
}

/* ---- judging news ---- */

static bool watch_equal_at(const json_t *a, const json_t *b, const char *path)
{
    const json_t *left = doc_at(a, path), *right = doc_at(b, path);
    return left == right || (left != NULL && right != NULL && doc_equal(left, right, false));
}

/* Tell whether anything at a path has happened since it was told: then it may be told once more. */
static bool watch_has_moved(const struct sim *sim, const struct sim_watcher *watcher,
                            const char *path)
{
    const json_t *at = json_object_get(watcher->told_at, path);
    /* once more when a connection has proved what was on the disk */
    if (json_is_true(json_array_get(at, 2)) && !sim->shadow->view.from_disk)
        return true;
    size_t version = (size_t)json_integer_value(json_array_get(at, 0));
    size_t op = (size_t)json_integer_value(json_array_get(at, 1));
    for (size_t i = version + 1; i < sim->history_count; i++)
        if (!watch_equal_at(sim->history[i - 1].desired, sim->history[i].desired, path) ||
            !watch_equal_at(sim->history[i - 1].reported, sim->history[i].reported, path))
            return true;
    for (size_t i = op; i < sim->op_count; i++)
        if (doc_overlaps(sim->ops[i].path, path))
            return true;
    return false;
}

static size_t watch_find_version(const struct sim *sim, int64_t version)
{
    for (size_t i = sim->history_count; i-- > 0;)
        if (sim->history[i].version == version)
            return i;
    return SIZE_MAX;
}

static bool watch_wishes(const json_t *desired, const char *path, const json_t *value)
{
    const json_t *held = desired != NULL ? doc_at(desired, path) : NULL;
    return held != NULL && doc_equal(held, value, false);
}

/* A wish must be in the version that it is told with. (On a disk an object that only deletions left
 * cannot be told from a wish.) */
static void watch_judge_true(struct sim *sim, const char *path, const json_t *value,
                             int64_t version)
{
    for (size_t i = sim->history_count; i-- > 0;) {
        const struct sim_version *each = &sim->history[i];
        if (each->version == version && (watch_wishes(each->desired, path, value) ||
                                         watch_wishes(each->phantom_desired, path, value)))
            return;
    }
    if (json_is_object(value) && sim->shadow->view.from_disk)
        return;
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    sim_fail(sim, "watchers: %s = %s is told with version %lld, which does not wish it", path, text,
             (long long)version);
    free(text);
}

/* What the programs report already is nothing to tell. */
static void watch_judge_differs(struct sim *sim, const char *path, const json_t *value)
{
    const json_t *reported = doc_at(sim->model, path);
    if (reported != NULL && !json_is_object(reported) && !oracle_is_vague(sim, path) &&
        !oracle_is_undefended(sim, path) && doc_equal(reported, value, false))
        sim_fail(sim, "watchers: %s is told, although a program reports just that", path);
}

static void watch_judge_wish(struct sim *sim, struct sim_watcher *watcher, const char *path,
                             const json_t *value, int64_t version)
{
    const json_t *before = json_object_get(watcher->told, path);
    if (!doc_overlaps(watcher->path, path))
        sim_fail(sim, "watchers: %s is told to who watches %s", path, watcher->path);
    if (before != NULL && doc_equal(before, value, false) && !watch_has_moved(sim, watcher, path))
        sim_fail(sim, "watchers: %s is told a second time", path);
    if (!json_is_object(value))
        watch_judge_differs(sim, path, value);
    watch_judge_true(sim, path, value, version);
    json_object_set(watcher->told, path, (json_t *)value);
    json_object_set_new(watcher->told_at, path,
                        json_pack("[I,I,b]", (json_int_t)(sim->history_count - 1),
                                  (json_int_t)sim->op_count, sim->shadow->view.from_disk));
}

static void watch_judge_cleared(struct sim *sim, struct sim_watcher *watcher, const char *path)
{
    const char *key;
    json_t *value;
    void *next;
    size_t count = 0;
    json_object_foreach_safe(watcher->told, next, key, value)
    {
        if (!doc_covers(path, key))
            continue;
        count++;
        json_object_del(watcher->told_at, key);
        json_object_del(watcher->told, key);
    }
    if (count == 0)
        sim_fail(sim,
                 "watchers: %s no longer differs, says the news, but it was never told that it "
                 "did",
                 path);
}

/* A shadow that was deleted and made anew begins again; what went with it is told at its last
 * version. Who begins to watch without a link may be told of the one before. */
static void watch_judge_version(struct sim *sim, struct sim_watcher *watcher, int64_t version,
                                bool is_end)
{
    size_t at = watch_find_version(sim, version);
    if (version != 0 && at == SIZE_MAX)
        sim_fail(sim, "watchers: news of version %lld, which never was", (long long)version);
    unsigned era = version != 0 && at != SIZE_MAX ? sim->history[at].era : sim->era;
    if (watcher->era != era && is_end)
        return;
    if (era < watcher->era)
        sim_fail(sim, "watchers: version %lld is of a shadow before that told of",
                 (long long)version);
    if (watcher->era != era)
        watcher->version = 0;
    if (version < watcher->version)
        sim_fail(sim, "watchers: version %lld is told after %lld", (long long)version,
                 (long long)watcher->version);
    watcher->version = version;
    watcher->era = era;
}

static void watch_take(struct sim *sim, struct sim_watcher *watcher, const struct shadow_wish *wish)
{
    char path[DOC_PATH_MAX];
    (void)snprintf(path, sizeof(path), "%.*s", (int)wish->path_size, wish->path);
    watcher->news++;
    watcher->stale_news += wish->stale ? 1 : 0;
    json_t *value = wish->value != NULL ? sim_rows_value(wish->value) : NULL;
    char *text = value != NULL ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
    sim_trace(sim, "watcher of %s%s: %s = %s at version %lld", sim->shadow_name, watcher->path,
              path, text != NULL ? text : "(no longer differs)", (long long)wish->version);
    free(text);
    watch_judge_version(sim, watcher, wish->version, value == NULL);
    if (value != NULL)
        watch_judge_wish(sim, watcher, path, value, wish->version);
    else
        watch_judge_cleared(sim, watcher, path);
    json_decref(value);
}

static void watch_listen(struct sim *sim, struct sim_watcher *watcher, uint64_t serial)
{
    struct shadow_wish wish;
    size_t count = 0;
    bool nothing_new = watcher->heard_all && watcher->serial == serial;
    while (!sim_is_broken(sim) &&
           shadow_next_wish(sim->shadow, watcher->path, strlen(watcher->path), &watcher->cursor,
                            &wish)) {
        watch_take(sim, watcher, &wish);
        if (nothing_new)
            sim_fail(sim, "watchers: news without a change of the serial");
        if (++count > WATCH_NEWS_MAX)
            sim_fail(sim, "watchers: news without end");
    }
    watcher->heard_all = true;
    watcher->serial = serial;
}

void sim_watch_turn(struct sim *sim)
{
    if (sim->watchers == NULL)
        return;
    uint64_t serial = shadow_wish_serial(sim->shadow);
    for (struct sim_watcher *each = sim->watchers; each != NULL; each = each->next)
        if (!sim_chance(sim, each->slow))
            watch_listen(sim, each, serial);
}

/* ---- the end ---- */

struct watch_end {
    struct sim *sim;
    const struct sim_watcher *watcher;
    size_t differing;
    char *text;
    size_t size;
};

static void watch_note(const struct watch_end *end, const char *what, const char *path)
{
    if (end->text[0] == '\0')
        (void)snprintf(end->text, end->size, "a watcher of '%s' %s: %s", end->watcher->path, what,
                       path);
}

static void watch_judge_end(void *data, const char *path, const json_t *leaf)
{
    struct watch_end *end = data;
    const struct sim_version *cloud = &end->sim->history[end->sim->history_count - 1];
    if (!doc_overlaps(end->watcher->path, path) || json_is_object(leaf))
        return; /* what only deletions left is nobody's wish, and cannot be told from one */
    const json_t *told = json_object_get(end->watcher->told, path);
    const json_t *reported = doc_at(cloud->reported, path);
    bool differs = reported == NULL || !doc_equal(reported, leaf, false);
    end->differing += differs && told != NULL;
    if (differs && told == NULL)
        watch_note(end, "was never told of a wish", path);
    else if (differs && !doc_equal(told, leaf, false))
        watch_note(end, "knows an old wish", path);
    else if (!differs && told != NULL)
        watch_note(end, "was never told that a wish is met", path);
}

static size_t watch_scalars(const json_t *told)
{
    size_t count = 0;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)told, key, value)
    {
        count += !json_is_object(value);
    }
    return count;
}

void sim_watch_end(struct sim *sim, char *ret_text, size_t size)
{
    const struct sim_version *cloud = &sim->history[sim->history_count - 1];
    for (struct sim_watcher *each = sim->watchers; each != NULL && ret_text[0] == '\0';
         each = each->next) {
        struct watch_end end = {.sim = sim, .watcher = each, .text = ret_text, .size = size};
        watch_listen(sim, each, shadow_wish_serial(sim->shadow));
        doc_each_leaf(cloud->desired, watch_judge_end, &end);
        if (ret_text[0] == '\0' && end.differing != watch_scalars(each->told))
            watch_note(&end, "was never told that a wish is gone", "");
    }
}
