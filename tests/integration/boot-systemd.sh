# Sourced (bash): a real systemd as PID 1, in a quarter of a second, over a throw-away overlay of this
# machine's own root. Needs root, systemd-container and util-linux; leaves nothing behind.
#
#   systemd_possible            tell whether this machine can do it; says why not
#   systemd_up [STAGE]          boot to $systemd_target (basic.target), with the files of STAGE copied over the root
#   inside COMMAND...           run a command in it, with an environment of its own
#   systemd_down                end it

systemd_possible() {
    [ "$(id -u)" -eq 0 ] || { echo "it takes root"; return 1; }
    command -v systemd-nspawn >/dev/null || { echo "systemd-nspawn is not installed"; return 1; }
    unshare -m true 2>/dev/null || { echo "no mount namespaces here"; return 1; }
}

# Our own control group, so that nothing of the outer system is touched.
systemd_cgroups() {
    local hierarchy
    for hierarchy in unified systemd; do
        [ ! -d /sys/fs/cgroup/$hierarchy ] || echo /sys/fs/cgroup/$hierarchy/"$machine"
    done
}

systemd_up() {
    machine_dir=$(mktemp -d /tmp/fluxsysd.XXXXXX) || return 1
    machine=$(basename "$machine_dir" | tr . -)
    machine_log=$machine_dir.log
    local group groups state=
    groups=$(systemd_cgroups)
    for group in $groups; do mkdir "$group" || return 1; done

    # The upper layer is a tmpfs in a mount namespace of its own: it goes when the last process does.
    machine_dir=$machine_dir machine=$machine groups=$groups stage=${1:-} target=${systemd_target:-basic.target} \
        SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 unshare -m --propagation private bash -euc '
        for group in $groups; do echo $$ >"$group/cgroup.procs"; done
        mount -t tmpfs -o mode=755 flux-run /run/systemd
        mount -t tmpfs -o size=1g,mode=755 flux-overlay "$machine_dir"
        mkdir "$machine_dir"/{upper,work,root}
        mount -t overlay overlay \
            -o "lowerdir=/,upperdir=$machine_dir/upper,workdir=$machine_dir/work" "$machine_dir/root"
        : >"$machine_dir/root/etc/machine-id"
        rm -rf "$machine_dir/root/var/log/journal"
        [ -z "$stage" ] || cp -a "$stage"/. "$machine_dir/root/"
        exec systemd-nspawn -q -D "$machine_dir/root" -b --machine="$machine" --hostname=fluxtest \
            --register=no --keep-unit --private-network --console=pipe --link-journal=no \
            --resolv-conf=off --timezone=off systemd.unit="$target"' \
        </dev/null >"$machine_log" 2>&1 &
    machine_pid=$!
    local deadline=$((SECONDS + 90))
    while [ "$SECONDS" -lt "$deadline" ]; do
        machine_leader=$(tr -d ' ' <"/proc/$machine_pid/task/$machine_pid/children" 2>/dev/null)
        [ -z "$machine_leader" ] || state=$(inside systemctl is-system-running 2>/dev/null)
        case $state in running | degraded) return 0 ;; esac
        kill -0 "$machine_pid" 2>/dev/null || break
        sleep 0.02
    done
    sed 's/^/# /' "$machine_log"
    systemd_down
    return 1
}

inside() {
    nsenter -t "$machine_leader" -a -- env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 "$@"
}

systemd_down() {
    local group
    [ -n "${machine_pid:-}" ] || return 0
    [ -z "${machine_leader:-}" ] || kill -KILL "$machine_leader" 2>/dev/null
    wait "$machine_pid" 2>/dev/null
    for group in $(systemd_cgroups); do
        find "$group" -depth -type d -exec rmdir {} + 2>/dev/null
    done
    rmdir "$machine_dir" 2>/dev/null
    rm -f "$machine_log"
    machine_pid=
}
