#include "daemon/credential_paths.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void find(char ret_path[static PATH_MAX], const char *configured,
                 const char *state_directory, const char *state_name,
                 const char *credentials_directory, const char *credential_name)
{
    if (*configured) {
        (void)snprintf(ret_path, PATH_MAX, "%s", configured);
        return;
    }
    (void)snprintf(ret_path, PATH_MAX, "%s/credentials/%s", state_directory, state_name);
    if (!credentials_directory || access(ret_path, F_OK) == 0)
        return;
    char path[PATH_MAX];
    (void)snprintf(path, sizeof(path), "%s/%s", credentials_directory, credential_name);
    if (access(path, F_OK) == 0)
        memcpy(ret_path, path, strlen(path) + 1);
}

void credential_paths_find(struct credential_paths *ret_paths, const struct config *config,
                           const char *state_directory, const char *credentials_directory)
{
    find(ret_paths->certificate_file, config_text(config, CONFIG_CERTIFICATE_FILE), state_directory,
         "certificate.pem", credentials_directory, "certificate");
    find(ret_paths->private_key, config_text(config, CONFIG_PRIVATE_KEY), state_directory,
         "private-key.pem", credentials_directory, "private-key");
    find(ret_paths->ca_file, config_text(config, CONFIG_CA_FILE), state_directory, "ca.pem",
         credentials_directory, "ca");
    if (access(ret_paths->ca_file, F_OK) < 0 && *config_text(config, CONFIG_CA_FILE) == '\0')
        (void)snprintf(ret_paths->ca_file, PATH_MAX, "%s", FLUX_ROOTS_FILE);
}

struct credentials_paths credential_paths_borrow(const struct credential_paths *paths)
{
    return (struct credentials_paths){
        .ca_file = paths->ca_file,
        .certificate_file = paths->certificate_file,
        .private_key = paths->private_key,
    };
}

static uint64_t mix(uint64_t hash, uint64_t number)
{
    return (hash ^ number) * UINT64_C(0x100000001b3); /* FNV-1a, by words */
}

static uint64_t mix_file(uint64_t hash, const char *path)
{
    for (const char *byte = path; *byte; byte++)
        hash = mix(hash, (uint8_t)*byte);
    struct stat status;
    if (stat(path, &status) < 0)
        return mix(hash, 0);
    hash = mix(hash, status.st_ino);
    hash = mix(hash, (uint64_t)status.st_size);
    hash = mix(hash, (uint64_t)status.st_mtim.tv_sec);
    return mix(hash, (uint64_t)status.st_mtim.tv_nsec);
}

uint64_t credential_paths_fingerprint(const struct credential_paths *paths)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    hash = mix_file(hash, paths->certificate_file);
    hash = mix_file(hash, paths->private_key);
    return mix_file(hash, paths->ca_file);
}
