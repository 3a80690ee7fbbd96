#include "daemon/shadow/path_glob.h"

#include "proto/path.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* How a glob is matched: most need no search. */
enum form {
    FORM_PATTERN,
    FORM_PATH, /* no star: the path itself */
    FORM_TREE, /* the only star is a `**` at the end: a path and all below it */
};

struct compiled {
    enum form form;
    size_t size;   /* of the pointer; of a tree, without its stars */
    char *pointer; /* owned */
};

struct path_globs {
    size_t count;
    struct compiled globs[];
};

/* Where the key that begins at a slash ends. */
static const char *key_end(const char *key, const char *end)
{
    const char *slash = memchr(key + 1, '/', (size_t)(end - key - 1));
    return slash ? slash : end;
}

static bool is_any_depth(const char *key, const char *end)
{
    return end - key == 3 && key[1] == '*' && key[2] == '*';
}

/* An escape of a pointer is one byte of the key: a star takes it whole. */
static const char *behind_byte(const char *text, const char *end)
{
    return *text == '~' && text + 1 < end ? text + 2 : text + 1;
}

/* Match text against a pattern in which `*` stands for any bytes: after a mismatch the last `*`
 * takes one more. */
static bool text_matches(const char *pattern, const char *pattern_end, const char *text,
                         const char *text_end)
{
    const char *star = NULL, *starred = NULL;
    while (text < text_end) {
        if (pattern < pattern_end && *pattern == '*') {
            star = ++pattern;
            starred = text;
        } else if (pattern < pattern_end && *pattern == *text) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star;
            text = starred = behind_byte(starred, text_end);
        } else {
            return false;
        }
    }
    while (pattern < pattern_end && *pattern == '*')
        pattern++;
    return pattern == pattern_end;
}

/* As text_matches(), with keys for bytes, and `**` for `*`. */
bool path_glob_matches(const char *glob, const char *path, size_t path_size)
{
    const char *glob_end = glob + strlen(glob), *end = path + path_size;
    const char *star = NULL, *starred = NULL;
    while (path < end) {
        const char *pattern_end = glob < glob_end ? key_end(glob, glob_end) : glob;
        if (glob < glob_end && is_any_depth(glob, pattern_end)) {
            star = glob = pattern_end;
            starred = path;
        } else if (glob < glob_end &&
                   text_matches(glob + 1, pattern_end, path + 1, key_end(path, end))) {
            glob = pattern_end;
            path = key_end(path, end);
        } else if (star) {
            glob = star;
            path = starred = key_end(starred, end);
        } else {
            return false;
        }
    }
    while (glob < glob_end && is_any_depth(glob, key_end(glob, glob_end)))
        glob = key_end(glob, glob_end);
    return glob == glob_end;
}

/* What is left of the glob where the path ends can be matched by something below, whatever it is.
 */
bool path_glob_reaches(const char *glob, const char *path, size_t path_size)
{
    const char *glob_end = glob + strlen(glob), *end = path + path_size;
    while (path < end) {
        if (glob == glob_end)
            return false;
        const char *pattern_end = key_end(glob, glob_end);
        if (is_any_depth(glob, pattern_end))
            return true;
        if (!text_matches(glob + 1, pattern_end, path + 1, key_end(path, end)))
            return false;
        glob = pattern_end;
        path = key_end(path, end);
    }
    return true;
}

bool name_glob_matches(const char *glob, const char *name)
{
    return text_matches(glob, glob + strlen(glob), name, name + strlen(name));
}

const char *path_glob_check(const char *glob)
{
    char pointer[FLUX_PATH_BYTES_MAX + 1];
    if (strlen(glob) > PATH_GLOB_BYTES_MAX)
        return "it is longer than 190 bytes";
    enum flux_path_error error = flux_path_canonical(glob, pointer);
    if (error != FLUX_PATH_OK)
        return flux_path_strerror(error);
    const char *end = pointer + strlen(pointer);
    for (const char *key = pointer; key < end; key = key_end(key, end)) {
        const char *stars = strstr(key, "**");
        if (stars && stars < key_end(key, end) && !is_any_depth(key, key_end(key, end)))
            return "** stands for whole keys: a.**, **.b, but not a**";
    }
    return NULL;
}

/* --- compiled --- */

static int compile(struct compiled *ret_glob, const char *text)
{
    static const char deep[] = "/**";
    char pointer[FLUX_PATH_BYTES_MAX + 1];
    if (path_glob_check(text) || flux_path_canonical(text, pointer) != FLUX_PATH_OK)
        return -EINVAL;
    const size_t size = strlen(pointer);
    const char *star = strchr(pointer, '*');
    const bool is_tree =
        size >= strlen(deep) && star == pointer + size - 2 && strcmp(star - 1, deep) == 0;
    *ret_glob = (struct compiled){
        .form = !star     ? FORM_PATH
                : is_tree ? FORM_TREE
                          : FORM_PATTERN,
        .size = is_tree ? size - strlen(deep) : size,
        .pointer = strdup(pointer),
    };
    return ret_glob->pointer ? 0 : -ENOMEM;
}

int path_globs_new(struct path_globs **ret_globs, const char *const *texts, size_t count)
{
    struct path_globs *globs = calloc(1, sizeof(*globs) + count * sizeof(globs->globs[0]));
    int r = globs ? 0 : -ENOMEM;
    for (; r == 0 && globs->count < count; globs->count += r == 0)
        r = compile(&globs->globs[globs->count], texts[globs->count]);
    if (r < 0) {
        (void)path_globs_free(globs);
        return r;
    }
    *ret_globs = globs;
    return 0;
}

struct path_globs *path_globs_free(struct path_globs *globs)
{
    for (size_t i = 0; globs && i < globs->count; i++)
        free(globs->globs[i].pointer);
    free(globs);
    return NULL;
}

static bool compiled_matches(const struct compiled *glob, const char *path, size_t path_size)
{
    if (glob->form == FORM_PATTERN)
        return path_glob_matches(glob->pointer, path, path_size);
    if (path_size < glob->size || memcmp(path, glob->pointer, glob->size) != 0)
        return false;
    return path_size == glob->size || (glob->form == FORM_TREE && path[glob->size] == '/');
}

bool path_filter_has(const struct path_filter *filter, const char *path, size_t path_size)
{
    for (size_t i = 0; i < filter->count; i++) {
        const struct path_globs *globs = filter->lists[i];
        for (size_t j = 0; j < globs->count; j++) {
            if (compiled_matches(&globs->globs[j], path, path_size))
                return true;
        }
    }
    return false;
}

bool path_filter_reaches(const struct path_filter *filter, const char *path, size_t path_size)
{
    for (size_t i = 0; i < filter->count; i++) {
        const struct path_globs *globs = filter->lists[i];
        for (size_t j = 0; j < globs->count; j++) {
            if (path_glob_reaches(globs->globs[j].pointer, path, path_size))
                return true;
        }
    }
    return false;
}
