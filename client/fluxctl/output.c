#include "client/fluxctl/output.h"
#include <stdio.h>
#include <string.h>

void fluxctl_print_string(const char *text)
{
    putchar('"');
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            printf("\\%c", *c);
        else if (*c < 0x20)
            printf("\\u%04x", *c);
        else
            putchar(*c);
    }
    putchar('"');
}

void fluxctl_print_level(const struct fluxctl_arguments *arguments, const char *level,
                         int64_t version, bool deadband)
{
    bool has_version = arguments->wait == FLUXAWS_ACCEPTED && version > 0;
    if (arguments->json) {
        printf("{\"level\":\"%s\"", level);
        if (has_version)
            printf(",\"version\":%lld", (long long)version);
        puts(deadband ? ",\"deadband\":true}" : "}");
    } else if (has_version) {
        printf("%s at version %lld%s\n", level, (long long)version,
               deadband ? ", within the Deadband: the cloud keeps its value" : "");
    } else if (arguments->wait != FLUXAWS_QUEUED) {
        puts(level);
    }
}

void fluxctl_print_rejection(int code, const char *path, const char *text)
{
    printf("{\"level\":\"rejected\",\"code\":%d,\"path\":", code);
    fluxctl_print_string(path);
    fputs(",\"text\":", stdout);
    fluxctl_print_string(text);
    puts("}");
}

/* How many bytes at the begin of `text` are a character that a terminal may obey although JSON lets
 * it stand as it is: DEL, the second set of control characters, separators of lines, directions of
 * writing. 0: none. */
static size_t take_trick(const char *text, size_t size, unsigned *ret_character)
{
    const unsigned char *bytes = (const unsigned char *)text;
    *ret_character = 0x7f;
    if (size > 0 && bytes[0] == 0x7f)
        return 1;
    *ret_character = size > 1 ? bytes[1] : 0;
    if (size > 1 && bytes[0] == 0xc2 && bytes[1] < 0xa0)
        return 2;
    if (size < 3 || bytes[0] != 0xe2 || (bytes[1] != 0x80 && bytes[1] != 0x81))
        return 0;
    *ret_character = 0x2000u + (bytes[1] - 0x80u) * 0x40u + (bytes[2] & 0x3fu);
    const unsigned c = *ret_character;
    const bool is_trick =
        c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
    return is_trick ? 3 : 0;
}

void fluxctl_put_json(FILE *file, const char *text, size_t size)
{
    for (size_t at = 0, step; at < size; at += step) {
        unsigned character;
        step = take_trick(text + at, size - at, &character);
        if (step > 0)
            fprintf(file, "\\u%04x", character);
        else
            fputc(text[at], file);
        step += step == 0;
    }
}

void fluxctl_put_plain(FILE *file, const char *text, size_t size)
{
    size_t begin = 0;
    for (size_t at = 0; at + 1 < size; at++) {
        if (text[at] != '\\')
            continue;
        if (strchr("\"\\/", text[at + 1]) != NULL) {
            fluxctl_put_json(file, text + begin, at - begin);
            begin = at + 1;
        }
        at++;
    }
    fluxctl_put_json(file, text + begin, size - begin);
}

void fluxctl_print_plain(const char *text, size_t size)
{
    fluxctl_put_plain(stdout, text, size);
}
