# Sourced (bash) after lib.sh: the daemon as it is installed below /usr, under a systemd that boots
# for this test. Ends the test with 77 where that is not possible.
#
#   booted_up                   build and install (once a build directory), boot, make the user;
#                               $systemd_target is booted to, with what prepare_stage (a function of
#                               the test) adds to the directory it is given
#   cloud_up                    start the sandbox in it; sets $port
#   configured [LINE...]        write /etc/fluxaws/fluxawsd.conf
#   certified                   put certificate, key and CA where the daemon looks for them
#   drop_in NAME                lines from stdin for the service, in /run; reloads systemd
#   property_is, property_like, journal_says, run_as, ...
. "$here/boot-systemd.sh"

if ! why_not=$(systemd_possible); then
    skip "a daemon under a real systemd: $why_not"
    script_finished=1
    exit 77
fi
machine_pid=
trap 'result=$?; systemd_down; (exit $result); clean_up' EXIT

# Scripts that run side by side share what the first of them builds, without sanitizers: as it would
# be installed. $work/stage is a copy of that; beside it fluxawsd-debug, which is not installed.
booted=$build/booted
booted_build() {
    local variable
    for variable in CFLAGS LDFLAGS ASAN_OPTIONS UBSAN_OPTIONS; do unset "$variable"; done
    [ -f "$booted/b/build.ninja" ] || {
        rm -rf "$booted/b"
        meson setup "$booted/b" "$source_root" --prefix=/usr -Dtests=false -Dman=false \
            -Ddebug_hooks=true || return 1
    }
    ninja -C "$booted/b" || return 1
    rm -rf "$booted/stage"
    DESTDIR=$booted/stage meson install -C "$booted/b" --no-rebuild
}
booted_stage() (
    mkdir -p "$booted"
    flock 9
    # Who came first may have just done it.
    if [ ! "$booted/stage.done" -nt "$work" ]; then
        booted_build >"$work/stage.log" 2>&1 || { tail -n 15 "$work/stage.log"; exit 1; }
        touch "$booted/stage.done"
    fi
    cp -a "$booted/stage" "$work/stage" && cp "$booted/b/daemon/fluxawsd-debug" "$booted/b/daemon/fluxawsd" "$work/"
) 9>"$build/booted.lock"

booted_up() {
    begin "an installation below /usr, and a systemd that boots with it"
    booted_stage || { fail "it does not build"; finish; }
    ! declare -F prepare_stage >/dev/null || prepare_stage "$work/stage"
    systemd_up "$work/stage" || { fail "it does not boot"; finish; }
    expect "the user is made" inside systemd-sysusers
}

property() { inside systemctl show -P "$1" "${2:-fluxawsd.service}"; }
property_is() { [ "$(property "$1" "${3:-}")" = "$2" ]; }
property_like() { [[ $(property "$1") =~ $2 ]]; }
journal() { inside journalctl -u fluxawsd.service -o cat --no-pager "$@"; }
journal_says() { journal | grep -q -- "$1"; }
journal_has() { [ -n "$(journal_field MESSAGE "$@")" ]; }
# end_daemon SIGNAL: never where it does not run, as 0 would mean whoever shares our process group.
end_daemon() {
    local pid
    pid=$(property MainPID)
    [ "${pid:-0}" -gt 1 ] && inside kill "-$1" "$pid"
}
# What is logged is in the journal a moment later: wait_until it is.
# journal_field FIELD MATCH...: the values of a field in the entries that match, one a line.
journal_field() {
    inside journalctl -o json --no-pager "${@:2}" | python3 -c '
import json, sys
for line in sys.stdin:
    print(json.loads(line).get(sys.argv[1], ""))' "$1"
}

# Like run, but inside, as a user and group. (run needs a command, not a function.)
run_as() {
    local user=$1 group=$2
    shift 2
    run nsenter -t "$machine_leader" -a -- env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \
        setpriv --reuid "$user" --regid "$group" --clear-groups -- "$@"
}
status_inside() { inside fluxctl --json status 2>/dev/null | json "$1"; }
linked_inside() { [ "$(status_inside /link/state)" = '"up"' ]; }

write_inside() { inside sh -c 'cat >"$1"' sh "$1"; }
drop_in() {
    inside mkdir -p /run/systemd/system/fluxawsd.service.d
    write_inside "/run/systemd/system/fluxawsd.service.d/$1.conf"
    inside systemctl daemon-reload
}

cloud_up() {
    expect "the cloud starts" inside fluxaws-sandbox start /root/cloud --thing "$thing" >"$work/cloud.log"
    port=$(inside sed -n 's/^Port *= *//p' /root/cloud/fluxawsd.conf)
}
cloud_inside() { inside fluxaws-sandbox --dir /root/cloud "$@" 2>/dev/null; }
cloud_has() { [ "$(cloud_inside shadow | json "/state/reported$1")" = "$2" ]; }

configured() {
    printf '%s\n' "[Thing]" "Name=$thing" "[Connection]" "Endpoint=localhost" "Port=$port" \
        "BackoffMinMs=100" "BackoffMaxMs=1000" "$@" | write_inside /etc/fluxaws/fluxawsd.conf
}
# What the daemon needs to be let in by the cloud, below $1, for the user fluxaws.
certified() {
    local to=${1:-/var/lib/fluxaws/credentials}
    inside install -d -o fluxaws -g fluxaws -m 700 /var/lib/fluxaws "$to"
    inside install -o fluxaws -m 600 "/root/cloud/things/$thing.pem" "$to/certificate.pem"
    inside install -o fluxaws -m 600 "/root/cloud/things/$thing.key" "$to/private-key.pem"
    inside install -o fluxaws -m 600 /root/cloud/ca.pem "$to/ca.pem"
}

# Whatever was logged has its explanation, with the fields that it names.
end_booted() {
    begin "every MESSAGE_ID that the journal has is explained"
    inside journalctl -o json --no-pager -u fluxawsd.service >"$work/journal.json"
    run "$source_root/tests/check-catalog" "$work/journal.json"
    expect_status 0
    if [ "$all_failures$case_failures" != 00 ]; then
        journal -n 30 | sed 's/^/# journal: /'
    fi
    finish
}
