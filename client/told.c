#include "client/told.h"
#include "proto/path.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- the paths ---- */

static size_t value_bytes(const struct flux_value *value)
{
    bool has_text = value->type == FLUX_VALUE_STRING || value->type == FLUX_VALUE_ARRAY;
    return has_text ? value->size + (size_t)1 : 0;
}

static size_t wish_bytes(const struct told_wish *wish)
{
    return sizeof(*wish) + wish->path_size + 1 + value_bytes(&wish->heard) +
           value_bytes(&wish->newest);
}

/* As strcmp() on the keys, so that what lies below a path follows it without a gap. */
static int compare_paths(const char *a, size_t a_size, const char *b, size_t b_size)
{
    size_t size = a_size < b_size ? a_size : b_size;
    for (size_t i = 0; i < size; i++) {
        unsigned char left = (unsigned char)a[i], right = (unsigned char)b[i];
        if (left == right)
            continue;
        if (left == '/' || right == '/')
            return left == '/' ? -1 : 1;
        return left < right ? -1 : 1;
    }
    return a_size == b_size ? 0 : (a_size < b_size ? -1 : 1);
}

/* The first wish whose path is not before this one. */
static size_t find_place(const struct told *told, const char *path, size_t path_size)
{
    size_t low = 0, high = told->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct told_wish *wish = told->wishes[middle];
        if (compare_paths(wish->path, wish->path_size, path, path_size) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct told_wish *find_wish(const struct told *told, const char *path, size_t path_size)
{
    size_t place = find_place(told, path, path_size);
    if (place == told->count)
        return NULL;
    struct told_wish *wish = told->wishes[place];
    bool is_same = wish->path_size == path_size && memcmp(wish->path, path, path_size) == 0;
    return is_same ? wish : NULL;
}

static bool is_covered(const struct told_wish *wish, const char *path, size_t path_size)
{
    return path_size == 0 ||
           (wish->path_size == path_size && memcmp(wish->path, path, path_size) == 0) ||
           flux_path_is_below(wish->path, wish->path_size, path, path_size);
}

static void unlink_pending(struct told *told, struct told_wish *wish)
{
    if (!wish->is_pending)
        return;
    if (wish->previous_pending != NULL)
        wish->previous_pending->next_pending = wish->next_pending;
    else
        told->first_pending = wish->next_pending;
    if (wish->next_pending != NULL)
        wish->next_pending->previous_pending = wish->previous_pending;
    else
        told->last_pending = wish->previous_pending;
    wish->next_pending = NULL;
    wish->previous_pending = NULL;
    wish->is_pending = false;
    told->pending_count--;
}

static void link_pending(struct told *told, struct told_wish *wish)
{
    wish->previous_pending = told->last_pending;
    if (told->last_pending != NULL)
        told->last_pending->next_pending = wish;
    else
        told->first_pending = wish;
    told->last_pending = wish;
    wish->is_pending = true;
    told->pending_count++;
}

static void free_wish(struct told *told, struct told_wish *wish)
{
    unlink_pending(told, wish);
    told->bytes -= wish_bytes(wish);
    flux_value_clear(&wish->heard);
    flux_value_clear(&wish->newest);
    free(wish->path);
    free(wish);
}

static void remove_wish(struct told *told, struct told_wish *wish)
{
    size_t place = find_place(told, wish->path, wish->path_size);
    told->count--;
    memmove(&told->wishes[place], &told->wishes[place + 1],
            (told->count - place) * sizeof(struct told_wish *));
    free_wish(told, wish);
}

void told_clear(struct told *told)
{
    for (size_t i = 0; i < told->count; i++)
        free_wish(told, told->wishes[i]);
    free(told->wishes);
    *told = (struct told){0};
}

static struct told_wish *new_wish(const char *path, size_t path_size)
{
    struct told_wish *wish = calloc(1, sizeof(*wish));
    if (wish == NULL)
        return NULL;
    wish->path = strndup(path, path_size);
    wish->path_size = path_size;
    if (wish->path == NULL) {
        free(wish);
        return NULL;
    }
    return wish;
}

static int add_wish(struct told *told, const char *path, size_t path_size,
                    struct told_wish **ret_wish)
{
    if (told->count == told->capacity) {
        size_t capacity = told->capacity > 0 ? told->capacity * 2 : 16;
        struct told_wish **wishes = realloc(told->wishes, capacity * sizeof(struct told_wish *));
        if (wishes == NULL)
            return -ENOMEM;
        told->wishes = wishes;
        told->capacity = capacity;
    }
    struct told_wish *wish = new_wish(path, path_size);
    if (wish == NULL)
        return -ENOMEM;
    size_t place = find_place(told, path, path_size);
    memmove(&told->wishes[place + 1], &told->wishes[place],
            (told->count - place) * sizeof(struct told_wish *));
    told->wishes[place] = wish;
    told->count++;
    told->bytes += wish_bytes(wish);
    *ret_wish = wish;
    return 0;
}

/* ---- what is news ---- */

/* Keep the pending ones in the order of their versions; drop what neither side knows of. */
static void judge(struct told *told, struct told_wish *wish)
{
    bool differs = wish->newest.type != FLUX_VALUE_NONE;
    bool is_news = !flux_value_equal(&wish->heard, &wish->newest) ||
                   (differs && wish->heard_stale && !wish->stale);
    unlink_pending(told, wish);
    if (is_news)
        link_pending(told, wish);
    if (!is_news && !differs)
        remove_wish(told, wish);
}

static void end_wish(struct told *told, struct told_wish *wish, int64_t version, bool stale)
{
    told->bytes -= value_bytes(&wish->newest);
    flux_value_clear(&wish->newest);
    wish->version = version;
    wish->stale = stale;
    wish->is_confirmed = true;
    judge(told, wish);
}

/* End all at and below the path, or only below it. Backwards: judge() may remove one. */
static void end_below(struct told *told, const char *path, size_t path_size, bool with_path,
                      int64_t version, bool stale)
{
    size_t first = path_size > 0 ? find_place(told, path, path_size) : 0, end = first;
    while (end < told->count && is_covered(told->wishes[end], path, path_size))
        end++;
    while (end > first) {
        struct told_wish *wish = told->wishes[--end];
        if (with_path || wish->path_size != path_size)
            end_wish(told, wish, version, stale);
    }
}

/* What was wished above the path cannot be wished any more. */
static void end_above(struct told *told, const char *path, size_t path_size, int64_t version,
                      bool stale)
{
    for (size_t size = path_size; size > 0;) {
        while (size > 0 && path[size - 1] != '/')
            size--;
        size -= size > 0 ? 1 : 0;
        struct told_wish *above = size > 0 ? find_wish(told, path, size) : NULL;
        if (above != NULL)
            end_wish(told, above, version, stale);
    }
}

static int set_newest(struct told *told, const char *path, size_t path_size,
                      const struct flux_value *value, int64_t version, bool stale)
{
    struct told_wish *wish = find_wish(told, path, path_size);
    struct flux_value copy = {.type = FLUX_VALUE_NONE};
    int r = flux_value_copy(&copy, value);
    if (r == 0 && wish == NULL)
        r = add_wish(told, path, path_size, &wish);
    if (r < 0) {
        flux_value_clear(&copy);
        return r;
    }
    told->bytes = told->bytes + value_bytes(&copy) - value_bytes(&wish->newest);
    flux_value_clear(&wish->newest);
    wish->newest = copy;
    wish->version = version;
    wish->stale = stale;
    wish->is_confirmed = true;
    judge(told, wish);
    return 0;
}

int told_take(struct told *told, const char *path, size_t path_size, const struct flux_value *value,
              int64_t version, bool stale)
{
    /* What a daemon has kept over a restart may be older than what was heard before it. */
    if (stale && version < told->version)
        return 0;
    if (value->type == FLUX_VALUE_NONE) {
        end_below(told, path, path_size, true, version, stale);
        return 0;
    }
    int r = set_newest(told, path, path_size, value, version, stale);
    if (r < 0)
        return r;
    end_above(told, path, path_size, version, stale);
    end_below(told, path, path_size, false, version, stale);
    return 0;
}

void told_begin(struct told *told)
{
    for (size_t i = 0; i < told->count; i++)
        told->wishes[i]->is_confirmed = false;
}

void told_complete(struct told *told, int64_t version)
{
    for (size_t i = told->count; i > 0; i--)
        if (!told->wishes[i - 1]->is_confirmed)
            end_wish(told, told->wishes[i - 1], version, false);
}

struct told_wish *told_next(struct told *told)
{
    return told->first_pending;
}

void told_hear(struct told *told, struct told_wish *wish, bool is_kept)
{
    unlink_pending(told, wish);
    /* A shadow that was made anew begins to count again. */
    if (!wish->stale || wish->version > told->version)
        told->version = wish->version;
    if (!is_kept || wish->newest.type == FLUX_VALUE_NONE) {
        remove_wish(told, wish);
        return;
    }
    told->bytes -= value_bytes(&wish->heard);
    flux_value_clear(&wish->heard);
    /* A value heard is the newest: without memory for the copy it may be told twice. */
    if (flux_value_copy(&wish->heard, &wish->newest) < 0)
        wish->heard = (struct flux_value){.type = FLUX_VALUE_NONE};
    told->bytes += value_bytes(&wish->heard);
    wish->heard_stale = wish->stale;
}
