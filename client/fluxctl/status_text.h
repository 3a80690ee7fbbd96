/* The status document for people: at most 23 lines of 80 columns, so that the first one stays on a
 * serial console, however many shadows and clients there are. Asks nobody; the document has it
 * all. */
#ifndef FLUXCTL_STATUS_TEXT_H
#define FLUXCTL_STATUS_TEXT_H

#include "client/fluxctl/screen.h"
#include <stdint.h>

struct status_view {
    struct screen screen;
    int64_t now_sec; /* seconds since 1970, to say since when; 0: not known */
    int64_t own_pid; /* the client that asks is not listed; 0: none */
};

/* Print the document. Returns 0, -EINVAL: it is none; -ENOMEM. */
int status_print(const char *json, const struct status_view *view);

/* --- between the files that print it --- */

/* What all sections work with. */
struct status_page {
    const struct status_view *view; /* borrowed */
    struct json_tree tree;
};

/* Where the text of a section begins, behind its name. */
#define STATUS_INDENT 10u
/* Rows of a list; where there are more, the last says how many. */
#define STATUS_ROWS 4u

const struct json_node *status_find(const struct status_page *page, const char *path);
int64_t status_number(const struct status_page *page, const char *path);
/* Begin a line with the name of its section, "" for one that goes on. */
void status_line(const struct status_page *page, struct screen_text *ret_line, const char *section);
/* Print a line, on at most so many. */
void status_end(const struct screen_text *line, unsigned lines);

/* status_shadows_text.c, status_clients_text.c. The latter returns 0 or -ENOMEM. */
void status_print_shadows(const struct status_page *page);
int status_print_clients(const struct status_page *page);

#endif
