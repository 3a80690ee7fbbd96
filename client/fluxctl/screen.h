/* Lines for a terminal of 80 columns: wraps, cuts and aligns, and lets nothing through that could
 * play tricks on the terminal. Knows nothing of what the lines are about. */
#ifndef FLUXCTL_SCREEN_H
#define FLUXCTL_SCREEN_H

#include "client/fluxctl/json_tree.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define SCREEN_COLUMNS 80u

enum screen_colour { SCREEN_PLAIN, SCREEN_GREEN, SCREEN_RED };

struct screen {
    FILE *out;    /* borrowed */
    bool utf8;    /* the terminal shows UTF-8; else what is not ASCII becomes '?' */
    bool colours; /* it takes colours */
};

/* What a terminal on stdout can be given, by the environment and the locale: no colours where it is
 * none, is dumb, or NO_COLOR is set. */
struct screen screen_of_stdout(void);

/* Text that is put together, already harmless; what does not fit is left out. */
#define SCREEN_TEXT_MAX 2048u
struct screen_text {
    const struct screen *screen; /* borrowed */
    char bytes[SCREEN_TEXT_MAX]; /* NUL-terminated */
    size_t size;
    unsigned columns;
};

void screen_begin(struct screen_text *text, const struct screen *screen);
/* Add what the program itself has to say: ASCII. */
void screen_add(struct screen_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Add what a JSON string says, in at most so many columns (0: as many as there are); what is longer
 * ends in "...". What is no string adds a '-'. */
void screen_add_string(struct screen_text *text, const struct json_node *node, unsigned columns);
/* Fill up with blanks to a column. */
void screen_pad(struct screen_text *text, unsigned column);

/* "3 s", "4 min", "2 h", "5 d"; with the next smaller unit: "2 h 13 min". */
void screen_add_age(struct screen_text *text, int64_t ms);
void screen_add_duration(struct screen_text *text, int64_t ms);
/* "812 B", "3.4 KB", "16.8 MB". */
void screen_add_bytes(struct screen_text *text, int64_t bytes);
/* "1 value", "2 values". */
void screen_add_count(struct screen_text *text, int64_t count, const char *what);

/* Print the text, wrapped between words, on at most so many lines, the last of which then ends in
 * "..."; all but the first are indented. */
void screen_print(const struct screen_text *text, unsigned indent, unsigned lines,
                  enum screen_colour colour);

#endif
