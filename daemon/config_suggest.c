#include "daemon/config_suggest.h"

#include "daemon/config.h"
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define WORD_MAX 40u
/* A slip of the finger or two; more would be guessing. */
#define SLIPS_MAX 2u
/* The first letters of a key, where the unit behind them was forgotten. */
#define BEGINNING_MIN 4u

static unsigned lower(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (unsigned)(byte - 'A' + 'a') : (unsigned char)byte;
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* How many letters are wrong, missing, too many or exchanged with their neighbour; case does not
 * count. */
static unsigned count_slips(const char *a, const char *b)
{
    const size_t a_size = strlen(a), b_size = strlen(b);
    unsigned rows[3][WORD_MAX + 1]; /* of the letters of `a`: before last, last, this one */
    if (a_size > WORD_MAX || b_size > WORD_MAX)
        return SLIPS_MAX + 1;
    for (size_t j = 0; j <= b_size; j++)
        rows[0][j] = rows[1][j] = rows[2][j] = (unsigned)j;
    for (size_t i = 1; i <= a_size; i++) {
        const unsigned *before = rows[(i + 1) % 3], *last = rows[(i + 2) % 3];
        unsigned *now = rows[i % 3];
        now[0] = (unsigned)i;
        for (size_t j = 1; j <= b_size; j++) {
            const bool same = lower(a[i - 1]) == lower(b[j - 1]);
            now[j] = least(last[j - 1] + !same, least(last[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
                lower(a[i - 2]) == lower(b[j - 1]))
                now[j] = least(now[j], before[j - 2] + 1);
        }
    }
    return rows[a_size % 3][b_size];
}

/* Short words are near to too many others. */
static bool is_near(unsigned slips, const char *word)
{
    return slips <= SLIPS_MAX && slips * 3 <= strlen(word);
}

/* A key without the unit or the end of its name is meant to be the key. */
static bool is_beginning(const char *name, const char *key)
{
    const size_t size = strlen(name);
    if (size < BEGINNING_MIN || size >= strlen(key))
        return false;
    for (size_t i = 0; i < size; i++) {
        if (lower(name[i]) != lower(key[i]))
            return false;
    }
    return true;
}

void config_suggest_key(const char *section, const char *name, char *ret_text, size_t size)
{
    const struct config_key *nearest = NULL;
    unsigned fewest = SLIPS_MAX + 1;
    for (unsigned id = 0; id < CONFIG_ID_COUNT; id++) {
        const struct config_key *key = config_key((enum config_id)id);
        const bool is_here = strcmp(key->section, section) == 0;
        /* Of another section only the very word is meant. */
        const bool is_short = is_here && is_beginning(name, key->name);
        const unsigned slips = is_short ? 1 : count_slips(name, key->name);
        if (slips < fewest && (is_here ? is_short || is_near(slips, name) : slips == 0)) {
            fewest = slips;
            nearest = key;
        }
    }
    if (!nearest)
        (void)snprintf(ret_text, size, "%s", "");
    else if (strcmp(nearest->section, section) == 0)
        (void)snprintf(ret_text, size, "; did you mean %s?", nearest->name);
    else
        (void)snprintf(ret_text, size, "; %s belongs to [%s]", nearest->name, nearest->section);
}

const char *config_suggest_section(const char *section)
{
    static const char *const kinds[] = {"Property", "Access"};
    const char *nearest = NULL;
    unsigned fewest = SLIPS_MAX + 1;
    for (unsigned id = 0; id < CONFIG_ID_COUNT; id++) {
        const char *known = config_key((enum config_id)id)->section;
        const unsigned slips = count_slips(section, known);
        if (slips < fewest && is_near(slips, section)) {
            fewest = slips;
            nearest = known;
        }
    }
    char word[WORD_MAX + 1];
    (void)snprintf(word, sizeof(word), "%.*s", (int)strcspn(section, " \t"), section);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        const unsigned slips = count_slips(word, kinds[i]);
        if (slips < fewest && is_near(slips, word)) {
            fewest = slips;
            nearest = kinds[i];
        }
    }
    return nearest;
}

bool config_suggests_access(const char *section)
{
    const char *word = section + strspn(section, " \t");
    const char *meant = config_suggest_section(word);
    return strncasecmp(word, "Access", strlen("Access")) == 0 ||
           (meant && strcmp(meant, "Access") == 0);
}
