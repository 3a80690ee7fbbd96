/* Everything that fluxctl prints on stdout: text for people, or JSON with stable names. */
#ifndef FLUXCTL_OUTPUT_H
#define FLUXCTL_OUTPUT_H

#include "client/fluxctl/fluxctl.h"
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* What a report reached. As text, QUEUED is silence. `deadband`: nothing was sent, because the
 * cloud holds a value that is near enough. */
void fluxctl_print_level(const struct fluxctl_arguments *arguments, const char *level,
                         int64_t version, bool deadband);
/* As JSON; stderr has the text. */
void fluxctl_print_rejection(int code, const char *path, const char *text);

/* A string as JSON. */
void fluxctl_print_string(const char *text);

/* A slice of JSON text as it is, or without its quotes and escapes. Control characters stay
 * escaped, or become so, as do directions of writing, so that nothing in a shadow can play tricks
 * on a terminal. */
void fluxctl_put_json(FILE *file, const char *text, size_t size);
void fluxctl_put_plain(FILE *file, const char *text, size_t size);
/* The latter, on stdout. */
void fluxctl_print_plain(const char *text, size_t size);

/* What is at `path`, for people: a string without its quotes, an object as PATH=VALUE lines,
 * anything else as JSON. */
void fluxctl_print_value(const char *path, const char *json);

/* A document for people, as `PATH=VALUE` lines that `fluxctl set` takes back. `prefix` is the path
 * of the document itself, or "". */
void fluxctl_print_assignments(const char *prefix, const char *json);

#endif
