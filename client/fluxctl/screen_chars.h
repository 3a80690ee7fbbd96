/* Which characters of a JSON string a terminal may be given, and how many columns they take. */
#ifndef FLUXCTL_SCREEN_CHARS_H
#define FLUXCTL_SCREEN_CHARS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Take the next character of a JSON string without its quotes: escapes, or UTF-8. What is neither
 * is U+FFFD. Returns how many bytes it was, 0 at the end. */
size_t screen_take_json(const char *text, size_t size, uint32_t *ret_character);

/* Take the next character of UTF-8. The same. */
size_t screen_take_utf8(const char *text, size_t size, uint32_t *ret_character);

/* Tell whether it shows itself and does nothing else: no control character of either set, nothing
 * invisible, nothing that changes the direction of writing. */
bool screen_is_harmless(uint32_t character);

/* At most so many columns does it take. */
unsigned screen_columns_of(uint32_t character);

/* Write it as UTF-8. Returns the number of bytes. */
size_t screen_write_utf8(uint32_t character, char ret_bytes[static 4]);

#endif
