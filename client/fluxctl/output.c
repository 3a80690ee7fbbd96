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

void fluxctl_print_plain(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        /* U+0080 to U+009F are control characters too, and may stand as they are in JSON. */
        if (text[i] == '\xc2' && i + 1 < size && (unsigned char)text[i + 1] < 0xa0) {
            printf("\\u%04x", (unsigned char)text[++i]);
            continue;
        }
        if (text[i] == '\\' && i + 1 < size && strchr("\"\\/", text[i + 1]) != NULL)
            i++;
        putchar(text[i]);
    }
}
