/* Checks UTF-8. Does not convert anything. */
#ifndef FLUX_PROTO_UTF8_H
#define FLUX_PROTO_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Tell whether `size` bytes are well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates,
 * nothing above U+10FFFF). A NUL is well-formed. */
bool flux_utf8_is_valid(const char *text, size_t size);

#endif
