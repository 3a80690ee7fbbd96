#include "daemon/config_users.h"

#include "daemon/config_access.h"
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

/* Longest entry of the books that is read. */
#define ENTRY_BYTES_MAX (1024 * 1024)

/* No user has this number: it means "leave it alone". */
#define NOBODYS_NUMBER UINT32_MAX

enum book { BOOK_USERS, BOOK_GROUPS };

/* Returns 0, or a positive error number. */
static int look_up_once(enum book book, const char *name, char *buffer, size_t size,
                        bool *ret_found, uint32_t *ret_id)
{
    struct passwd user, *found_user = NULL;
    struct group group, *found_group = NULL;
    const int error = book == BOOK_USERS ? getpwnam_r(name, &user, buffer, size, &found_user)
                                         : getgrnam_r(name, &group, buffer, size, &found_group);
    *ret_found = found_user || found_group;
    if (found_user)
        *ret_id = found_user->pw_uid;
    if (found_group)
        *ret_id = found_group->gr_gid;
    return error;
}

/* Returns 0, -ENOENT (nobody has that name, or the books cannot be read) or -ENOMEM. */
static int look_up(enum book book, const char *name, uint32_t *ret_id)
{
    bool is_found = false;
    int error = ERANGE;
    for (size_t size = 4096; error == ERANGE && size <= ENTRY_BYTES_MAX; size *= 4) {
        char *buffer = malloc(size);
        if (!buffer)
            return -ENOMEM;
        error = look_up_once(book, name, buffer, size, &is_found, ret_id);
        free(buffer);
    }
    return error == 0 && is_found ? 0 : -ENOENT;
}

static bool parse_number(const char *text, uint32_t *ret_id)
{
    if (strspn(text, "0123456789") != strlen(text) || strlen(text) > 10)
        return false;
    const unsigned long long number = strtoull(text, NULL, 10);
    *ret_id = (uint32_t)number;
    return number < NOBODYS_NUMBER;
}

static int resolve(struct config *config, struct config_access *access, enum config_access_key key,
                   struct config_ids *ids)
{
    char buffer[CONFIG_TEXT_MAX + 1];
    const char *words[CONFIG_WORDS_MAX];
    if (access->is_void || !access->texts[key])
        return 0;
    const size_t count = config_split(access->texts[key], buffer, sizeof(buffer), words);
    uint32_t *items = calloc(count > 0 ? count : 1, sizeof(*items));
    if (!items)
        return -ENOMEM;
    free(ids->items);
    ids->items = items;
    ids->count = 0;
    for (size_t i = 0; i < count; i++) {
        const int r = parse_number(words[i], &items[i])
                          ? 0
                          : look_up(key == CONFIG_ACCESS_USER ? BOOK_USERS : BOOK_GROUPS, words[i],
                                    &items[i]);
        if (r == -ENOENT)
            return config_access_refuse(config, access, access->lines[key],
                                        "%s=%.80s is not known on this system",
                                        config_access_key_name(key), words[i]);
        if (r < 0)
            return r;
        ids->count++;
    }
    return 0;
}

int config_users_resolve(struct config *config)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < config->access_count; i++) {
        struct config_access *access = &config->accesses[i];
        r = resolve(config, access, CONFIG_ACCESS_USER, &access->users);
        if (r == 0)
            r = resolve(config, access, CONFIG_ACCESS_GROUP, &access->groups);
    }
    return r;
}
