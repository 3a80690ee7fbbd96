#include "client/examples/machine.h"
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>

#define WINDOW_MS      500 /* the kernel counts in hundredths of a second: shorter shows only noise */
#define INTERFACES_MAX 8u
#define ZONES_MAX      8u

/* One decimal is what anyone wants to see of a percentage. */
static double rounded(double number)
{
    return (double)(int64_t)(number * 10 + (number < 0 ? -0.5 : 0.5)) / 10;
}

static double percent_of(uint64_t part, uint64_t whole)
{
    return whole > 0 ? rounded(100.0 * (double)part / (double)whole) : 0;
}

static bool read_line(const char *path, char *line, int size)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    bool done = fgets(line, size, file) != NULL;
    (void)fclose(file);
    line[done ? strcspn(line, "\n") : 0] = '\0';
    return done;
}

static unsigned add_identity(struct fluxaws_client *client)
{
    struct utsname name;
    if (uname(&name) < 0)
        return 0;
    (void)fluxaws_set_string(client, "device.hostname", name.nodename);
    (void)fluxaws_set_string(client, "device.kernel", name.release);
    (void)fluxaws_set_string(client, "device.architecture", name.machine);
    return 3;
}

static unsigned add_load(struct fluxaws_client *client)
{
    char line[128];
    double one, five, fifteen;
    unsigned running, total;
    if (!read_line("/proc/loadavg", line, sizeof(line)) ||
        sscanf(line, "%lf %lf %lf %u/%u", &one, &five, &fifteen, &running, &total) != 5)
        return 0;
    (void)fluxaws_set_double(client, "load.1min", one);
    (void)fluxaws_set_double(client, "load.5min", five);
    (void)fluxaws_set_double(client, "load.15min", fifteen);
    (void)fluxaws_set_int64(client, "processes.running", running);
    (void)fluxaws_set_int64(client, "processes.total", total);
    return 5;
}

/* Close the window if it was long enough and begin the next. */
static void update_core(struct machine_core *core, const char *line, bool is_due)
{
    uint64_t user, nice, system, idle, iowait, irq, softirq, steal;
    if (sscanf(line,
               "%*s %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
               " %" SCNu64 " %" SCNu64,
               &user, &nice, &system, &idle, &iowait, &irq, &softirq, &steal) != 8 ||
        !is_due)
        return;
    uint64_t busy = user + nice + system + irq + softirq + steal, total = busy + idle + iowait;
    if (total > core->total && busy >= core->busy)
        core->percent = percent_of(busy - core->busy, total - core->total);
    core->busy = busy;
    core->total = total;
}

static void update_cores(struct machine *machine, int64_t now_ms)
{
    FILE *file = fopen("/proc/stat", "re");
    if (file == NULL)
        return;
    bool is_due = machine->core_count == 0 || now_ms - machine->window_ms >= WINDOW_MS;
    char line[512];
    machine->core_count = 0;
    while (fgets(line, sizeof(line), file) != NULL && strncmp(line, "cpu", 3) == 0) {
        if (line[3] == ' ')
            update_core(&machine->all, line, is_due);
        else if (machine->core_count < MACHINE_CORES_MAX)
            update_core(&machine->cores[machine->core_count++], line, is_due);
    }
    (void)fclose(file);
    if (is_due)
        machine->window_ms = now_ms;
}

static unsigned add_cpu(struct machine *machine, struct fluxaws_client *client, int64_t now_ms)
{
    update_cores(machine, now_ms);
    (void)fluxaws_set_double(client, "cpu.percent", machine->all.percent);
    for (int i = 0; i < machine->core_count; i++) {
        char path[32];
        (void)snprintf(path, sizeof(path), "cpu.cores.%d.percent", i);
        (void)fluxaws_set_double(client, path, machine->cores[i].percent);
    }
    return 1 + (unsigned)machine->core_count;
}

static unsigned add_memory(struct fluxaws_client *client)
{
    FILE *file = fopen("/proc/meminfo", "re");
    if (file == NULL)
        return 0;
    char line[128], name[32];
    uint64_t kilobytes, total = 0, available = 0, swap_total = 0, swap_free = 0;
    while (fgets(line, sizeof(line), file) != NULL) {
        if (sscanf(line, "%31[^:]: %" SCNu64, name, &kilobytes) != 2)
            continue;
        if (strcmp(name, "MemTotal") == 0)
            total = kilobytes;
        else if (strcmp(name, "MemAvailable") == 0)
            available = kilobytes;
        else if (strcmp(name, "SwapTotal") == 0)
            swap_total = kilobytes;
        else if (strcmp(name, "SwapFree") == 0)
            swap_free = kilobytes;
    }
    (void)fclose(file);
    (void)fluxaws_set_int64(client, "memory.totalKb", (int64_t)total);
    (void)fluxaws_set_int64(client, "memory.availableKb", (int64_t)available);
    (void)fluxaws_set_double(client, "memory.usedPercent", percent_of(total - available, total));
    (void)fluxaws_set_int64(client, "memory.swapUsedKb", (int64_t)(swap_total - swap_free));
    return 4;
}

static unsigned add_disk(struct fluxaws_client *client)
{
    struct statvfs status;
    if (statvfs("/", &status) < 0)
        return 0;
    uint64_t block = status.f_frsize, total = status.f_blocks, free_blocks = status.f_bfree;
    (void)fluxaws_set_int64(client, "disk.root.totalMb", (int64_t)(total * block / 1000000));
    (void)fluxaws_set_int64(client, "disk.root.freeMb",
                            (int64_t)(status.f_bavail * block / 1000000));
    (void)fluxaws_set_double(client, "disk.root.usedPercent",
                             percent_of(total - free_blocks, total));
    return 3;
}

static void add_counter(struct fluxaws_client *client, const char *interface, const char *name,
                        uint64_t count)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/network/%.20s/%s", interface, name);
    (void)fluxaws_set_int64(client, path, (int64_t)count);
}

static unsigned add_network(struct fluxaws_client *client)
{
    FILE *file = fopen("/proc/net/dev", "re");
    if (file == NULL)
        return 0;
    char line[512], interface[24];
    unsigned count = 0;
    while (count < INTERFACES_MAX && fgets(line, sizeof(line), file) != NULL) {
        uint64_t rx_bytes, rx_packets, tx_bytes, tx_packets;
        if (sscanf(line,
                   " %23[^: ]: %" SCNu64 " %" SCNu64 " %*u %*u %*u %*u %*u %*u %" SCNu64
                   " %" SCNu64,
                   interface, &rx_bytes, &rx_packets, &tx_bytes, &tx_packets) != 5)
            continue;
        add_counter(client, interface, "rxBytes", rx_bytes);
        add_counter(client, interface, "rxPackets", rx_packets);
        add_counter(client, interface, "txBytes", tx_bytes);
        add_counter(client, interface, "txPackets", tx_packets);
        count++;
    }
    (void)fclose(file);
    return 4 * count;
}

static unsigned add_temperature(struct fluxaws_client *client)
{
    DIR *directory = opendir("/sys/class/thermal");
    if (directory == NULL)
        return 0;
    unsigned count = 0;
    const struct dirent *entry;
    while (count < ZONES_MAX && (entry = readdir(directory)) != NULL) {
        char path[320], line[32];
        long millidegrees;
        if (strncmp(entry->d_name, "thermal_zone", 12) != 0)
            continue;
        (void)snprintf(path, sizeof(path), "/sys/class/thermal/%s/temp", entry->d_name);
        if (!read_line(path, line, sizeof(line)) || sscanf(line, "%ld", &millidegrees) != 1)
            continue;
        (void)snprintf(path, sizeof(path), "temperature.zone%.16s", entry->d_name + 12);
        (void)fluxaws_set_double(client, path, rounded((double)millidegrees / 1000));
        count++;
    }
    (void)closedir(directory);
    return count;
}

static unsigned add_uptime(struct fluxaws_client *client)
{
    char line[64];
    double seconds;
    if (!read_line("/proc/uptime", line, sizeof(line)) || sscanf(line, "%lf", &seconds) != 1)
        return 0;
    (void)fluxaws_set_int64(client, "uptimeSec", (int64_t)seconds);
    return 1;
}

unsigned machine_add_group(struct machine *machine, struct fluxaws_client *client, unsigned group,
                           int64_t now_ms)
{
    switch (group % MACHINE_GROUPS) {
    case 0:
        return add_identity(client);
    case 1:
        return add_load(client);
    case 2:
        return add_cpu(machine, client, now_ms);
    case 3:
        return add_memory(client);
    case 4:
        return add_disk(client);
    case 5:
        return add_network(client);
    case 6:
        return add_temperature(client);
    default:
        return add_uptime(client);
    }
}
