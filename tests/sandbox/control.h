/* The operator's commands to the sandbox: a JSON request in, a text out. Nothing leaves the account
 * by it; answers to devices wait in the account. */
#ifndef FLUX_TESTS_SANDBOX_CONTROL_H
#define FLUX_TESTS_SANDBOX_CONTROL_H

#include <stddef.h>
#include <stdint.h>

#include "tests/sandbox/account.h"
#include "tests/sandbox/cloud_json.h"

/* Carry out one command. {"do":"shadow","thing":T,"name":N} and the like; the table in control.c
 * names them all. The answer's first line is "ok" or "error", then follows JSON for people, or a
 * text that names cause and remedy. Returns 0 or -ENOMEM; *ret_answer is then owned by the caller
 * (free .data). */
int control_handle(struct account *account, const char *request, size_t size, int64_t now_ms,
                   struct cloud_text *ret_answer);

#endif
