#include "daemon/mqtt/paho_index.h"

#include <dlfcn.h>
#include <openssl/crypto.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

typedef int get_ex_new_index(int class_index, long argl, void *argp, CRYPTO_EX_new *new_func,
                             CRYPTO_EX_dup *dup_func, CRYPTO_EX_free *free_func);

/* As lasting as the index, which is the process's. */
static atomic_bool is_kept;
static atomic_int paho_index = -1;

void paho_index_keep(void)
{
    atomic_store(&is_kept, true);
}

/* Known by the name that Paho gives it; it has no functions, so there is nothing to call twice. */
static bool is_of_paho(int class_index, const char *name, bool has_functions)
{
    return class_index == CRYPTO_EX_INDEX_SSL && name && !has_functions &&
           strcmp(name, "paho ssl options") == 0;
}

/* In place of OpenSSL's function of this name, for this program and the libraries it loads: what a
 * program exports comes first. Where it does not, all is as if this were not here. Weak, so that a
 * static OpenSSL may have its own. */
__attribute__((visibility("default"), weak)) int CRYPTO_get_ex_new_index(int class_index, long argl,
                                                                         void *argp,
                                                                         CRYPTO_EX_new *new_func,
                                                                         CRYPTO_EX_dup *dup_func,
                                                                         CRYPTO_EX_free *free_func)
{
    bool is_pahos =
        atomic_load(&is_kept) && is_of_paho(class_index, argp, new_func || dup_func || free_func);
    int index = is_pahos ? atomic_load(&paho_index) : -1;
    if (index >= 0)
        return index;
    /* ISO C has no cast from an object to a function. */
    union {
        void *symbol;
        get_ex_new_index *call;
    } next = {.symbol = dlsym(RTLD_NEXT, "CRYPTO_get_ex_new_index")};
    if (!next.symbol)
        return -1;
    index = next.call(class_index, argl, argp, new_func, dup_func, free_func);
    if (is_pahos)
        atomic_store(&paho_index, index);
    return index;
}
