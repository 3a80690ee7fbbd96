/* One command of the operator while it is carried out, shared by the files that know the commands.
 * It is not for those who give commands. */
#ifndef FLUX_TESTS_SANDBOX_CONTROL_COMMAND_H
#define FLUX_TESTS_SANDBOX_CONTROL_COMMAND_H

#include <jansson.h>
#include <stdint.h>

#include "tests/sandbox/account.h"

/* What a command works on, and what it says: a JSON value, or an error in words. All is borrowed
 * but the result. */
struct control {
    struct account *account;
    const json_t *request;
    const char *thing; /* NULL: none or not a name */
    const char *name;  /* NULL: the classic shadow */
    int64_t now_ms;
    json_t *result;  /* NULL: say "ok" only */
    char error[256]; /* empty: it went well */
};

/* Say what is wrong. Returns 0: it is an answer. */
int control_fail(struct control *control, const char *text);

/* A number of the request, or `otherwise` where there is none. */
int64_t control_number(const struct control *control, const char *key, int64_t otherwise);

/* A text of the request, or "". */
const char *control_string(const struct control *control, const char *key);

#endif
