# Sourced by the integration tests (bash): a sandbox and a daemon of the test's own, in a directory
# and on ports of their own, ended by process id whatever happens. Waits poll with a deadline.
#
#   begin NAME                a case begins; the one before it ends
#   expect WHAT COMMAND...    within a case: the command must succeed
#   run COMMAND...            sets $status, $out and $err, for the expect_... below
#   wait_until SEC COMMAND... poll until the command succeeds
#
# The environment names what is tested: FLUX_BUILD, the build directory; FLUX_PROTOCOL, the version
# of MQTT, 5 or 3.1.1.
set -u
export LC_ALL=C.UTF-8
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source_root=$(cd "$here/../.." && pwd)
build=${FLUX_BUILD:-$source_root/build}
fluxawsd=${FLUXAWSD:-$build/daemon/fluxawsd}
fluxctl=${FLUXCTL:-$build/client/fluxctl/fluxctl}
sandbox=${FLUXAWS_SANDBOX:-$build/tests/sandbox/fluxaws-sandbox}
load=$build/tests/integration/load
actor=$build/tests/integration/actor
thing=demo-thing
protocol=${FLUX_PROTOCOL:-5}

work=$(mktemp -d "${TMPDIR:-/tmp}/flux.XXXXXX") || exit 1
cloud_dir=$work/s
socket=$cloud_dir/fluxawsd.sock
daemon_log=$work/daemon.log
export XDG_RUNTIME_DIR=$work FLUXAWS_SANDBOX_DIR=$cloud_dir FLUXAWS_SOCKET=$socket
# What comes in from outside with a name that is used here would go out again to every command.
unset out err ran status result of
unset http_proxy https_proxy STATE_DIRECTORY RUNTIME_DIRECTORY NOTIFY_SOCKET LISTEN_FDS LISTEN_PID

# ---- cases ----

case_name=
case_failures=0
all_failures=0
script_finished=

fail() {
    case_failures=$((case_failures + 1))
    printf '# %s\n' "$*"
}

end_case() {
    [ -n "$case_name" ] || return 0
    if [ "$case_failures" -eq 0 ]; then
        echo "ok - $case_name"
    else
        echo "not ok - $case_name"
        all_failures=$((all_failures + 1))
    fi
    case_name=
    case_failures=0
}

begin() {
    end_case
    case_name=$1
}

skip() {
    case_name=
    echo "skip - $1"
}

# The last line of every test: judge the daemon's end too.
finish() {
    if [ -n "$daemon_pid" ]; then
        begin "the daemon stops cleanly when told to"
        stop_daemon
        [ "$daemon_status" -eq 0 ] || fail "it ended with $daemon_status"
    fi
    [ "$protocol" = 5 ] || spoke_only
    begin "no sanitizer complained"
    no_sanitizer_report
    end_case
    script_finished=1
    [ "$all_failures" -eq 0 ]
    exit
}

# Of the daemon's connections; mosquitto calls 3.1.1 p2.
spoke_only() {
    local said
    begin "every connection spoke MQTT $protocol"
    said=$(grep -hoE "as $thing \(p[0-9]" "$cloud_dir/mosquitto.log" | sort -u)
    [ "$said" = "as $thing (p2" ] || fail "$said"
}

no_sanitizer_report() {
    local log
    for log in "$work"/*.log; do
        [ -e "$log" ] || continue
        grep -qE 'runtime error:|ERROR: (Address|Leak)Sanitizer' "$log" || continue
        fail "a sanitizer complained in ${log##*/}:"
        sed -nE '/runtime error:|ERROR: (Address|Leak)Sanitizer/,$p' "$log" | head -n 60 | sed 's/^/#   /'
    done
}

expect() {
    local what=$1
    shift
    "$@" || fail "$what"
}

# Poll a command until it succeeds or the seconds are over.
wait_until() {
    local deadline=$((${EPOCHREALTIME//./} + $1 * 1000000))
    shift
    while ! "$@"; do
        [ "${EPOCHREALTIME//./}" -lt "$deadline" ] || return 1
        sleep 0.05
    done
}

# Run a command with a limit, its output kept.
run() {
    out=$(timeout "${run_limit:-60}" "$@" 2>"$work/err.txt" </dev/null)
    status=$?
    err=$(cat "$work/err.txt")
    ran="$*"
}

tell_run() {
    fail "$*; \`${ran#"$build"/}\` ended with $status, said '${out:0:500}', on stderr '${err:0:500}'"
}
expect_status() { [ "$status" -eq "$1" ] || tell_run "expected exit $1"; }
expect_out() { [[ $out =~ $1 ]] || tell_run "expected output like '$1'"; }
expect_err() { [[ $err =~ $1 ]] || tell_run "expected '$1' on stderr"; }
expect_quiet() { [ -z "$out" ] || tell_run "expected nothing on stdout"; }

now_ms() { echo $((${EPOCHREALTIME//./} / 1000)); }

# ---- JSON ----

# json POINTER: the value there in the JSON text on stdin, compact, keys sorted; fails if there is none.
json() {
    python3 -c '
import json, sys
value = json.load(sys.stdin)
for key in sys.argv[1].split("/")[1:]:
    value = value[int(key)] if isinstance(value, list) else value[key]
print(json.dumps(value, separators=(",", ":"), ensure_ascii=False, sort_keys=True))' "$1" 2>/dev/null
}

# ---- the cloud ----

cloud() {
    case $1 in
    net | broker | fault | option) "$sandbox" "$@" >/dev/null ;;
    *) "$sandbox" "$@" ;;
    esac
}
# Where a shadow other than the classic one of the own thing is meant: in $of "THING",
# "--shadow NAME" or both.
of=
# shellcheck disable=SC2086
cloud_value() { cloud shadow $of 2>/dev/null | json "/state/reported$1"; }
cloud_is() { [ "$(cloud_value "$1")" = "$2" ]; }
# There is no value at a place of the document. A cloud that does not answer lacks nothing.
cloud_is_without() {
    local document
    # shellcheck disable=SC2086
    document=$(cloud shadow $of 2>&1) || { [[ $document == *"has never been written, or was deleted"* ]] && return; return 1; }
    ! json "$1" <<<"$document" >/dev/null
}
cloud_lacks() { cloud_is_without "/state/reported$1"; }
# shellcheck disable=SC2086
cloud_version() { cloud shadow $of 2>/dev/null | json /version; }
# shellcheck disable=SC2086
cloud_wish() { cloud shadow $of 2>/dev/null | json "/state/desired$1"; }
cloud_wishes() { [ "$(cloud_wish "$1")" = "$2" ]; }
cloud_wishes_nothing() { cloud_is_without "/state/desired$1"; }
# wish JSON [NAME]: the application in the cloud wants something of the device.
wish() { cloud desired "$thing" "$1" ${2:+--shadow "$2"} >/dev/null; }
counter() { cloud counters | json "$1"; }
# How often the daemon has connected, by the broker's count.
connects() { counter "/clients/$thing/connects" || echo 0; }

# Publish as the operator, who may speak in the service's name: TOPIC PAYLOAD
operator_publish() {
    mosquitto_pub --unix "$cloud_dir/broker.sock" --cafile "$cloud_dir/ca.pem" \
        --cert "$cloud_dir/operator.pem" --key "$cloud_dir/operator.key" --insecure \
        -i "sandbox-operator-pub-$$-$RANDOM" -q 1 -t "$1" -m "$2"
}

# Follow a topic as the operator, into a file, from when this returns. Sets $follow_pid.
operator_follow() {
    local mark
    : >"$2"
    mosquitto_sub --unix "$cloud_dir/broker.sock" --cafile "$cloud_dir/ca.pem" \
        --cert "$cloud_dir/operator.pem" --key "$cloud_dir/operator.key" --insecure \
        -i "sandbox-operator-sub-$$" -q 1 -t "$1" -t sandbox/mark >>"$2" 2>>"$work/follow.log" </dev/null &
    follow_pid=$!
    children+=("$follow_pid")
    # It listens when it hears a mark; those before the mark have been heard then, too.
    for mark in {1..60}; do
        operator_publish sandbox/mark "mark $mark" 2>>"$work/follow.log"
        wait_until 1 grep -qx "mark $mark" "$2" && break
    done
    grep -qx "mark $mark" "$2" || fail "nothing is heard of $1"
    : >"$2"
}

start_cloud() {
    cloud start "$cloud_dir" --thing "$thing" >"$work/sandbox.log" 2>&1 ||
        { cat "$work/sandbox.log"; return 1; }
    [ "$protocol" = 5 ] || configure_protocol
}
# The same test with another version of MQTT; the daemon's configuration says so, and nothing else.
configure_protocol() {
    mkdir -p "$cloud_dir/fluxawsd.conf.d"
    printf '[Connection]\nProtocol = %s\n' "$protocol" >"$cloud_dir/fluxawsd.conf.d/40-protocol.conf"
}

# ---- the daemon ----

daemon_pid=
children=()

# configure LINES: settings of this test, over those that the sandbox wrote.
configure() {
    mkdir -p "$cloud_dir/fluxawsd.conf.d"
    printf '%s\n' "$@" >"$cloud_dir/fluxawsd.conf.d/50-test.conf"
}

# Quick ones for tests: an update at once, short waits.
quick_settings=("[Connection]" "BackoffMinMs = 100" "BackoffMaxMs = 1000" "ConnectTimeoutMs = 3000"
    "[Updates]" "IntervalMs = 100" "Burst = 5" "ResponseTimeoutMs = 2000")

launch_daemon() {
    "$fluxawsd" --config "$cloud_dir/fluxawsd.conf" --log-level "${log_level:-info}" "$@" \
        >>"$daemon_log" 2>&1 </dev/null &
    daemon_pid=$!
}

daemon_answers() { "$fluxctl" status >/dev/null 2>&1; }
daemon_lives() { kill -0 "$daemon_pid" 2>/dev/null && daemon_answers; }

start_daemon() {
    launch_daemon "$@"
    wait_until 30 daemon_answers && return 0
    echo "# the daemon does not answer; its log ends with:"
    tail -n 20 "$daemon_log" | sed 's/^/# /'
    return 1
}

# stop_daemon [SIGNAL]: sets $daemon_status.
stop_daemon() {
    [ -n "$daemon_pid" ] || return 0
    kill "-${1:-TERM}" "$daemon_pid" 2>/dev/null
    if ! wait_until 30 is_gone "$daemon_pid"; then
        fail "the daemon did not stop within 30 s"
        kill -KILL "$daemon_pid" 2>/dev/null
    fi
    wait "$daemon_pid" 2>/dev/null
    daemon_status=$?
    daemon_pid=
}

# Gone, or only waiting for us to fetch its exit status.
is_gone() {
    local state
    state=$(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f1)
    [ -z "$state" ] || [ "$state" = Z ]
}

status_value() { "$fluxctl" --json status 2>/dev/null | json "$1"; }
# The values of status alone: the names of its members would be found in each.
status_words() { "$fluxctl" --json status 2>/dev/null | sed -E 's/"[A-Za-z0-9_]+"://g'; }
status_says() { status_words | grep -qE -- "$1"; }
linked() { [ "$(status_value /link/state)" = '"up"' ]; }
# Where there is no status it is neither.
unlinked() {
    local state
    state=$(status_value /link/state) && [ -n "$state" ] && [ "$state" != '"up"' ]
}
status_is_silent_on() {
    local words
    words=$(status_words)
    [ -n "$words" ] && ! grep -qE -- "$1" <<<"$words"
}

# shadow_status NAME POINTER: of a shadow of the own thing, as the daemon's status has it.
shadow_status() {
    "$fluxctl" --json status 2>/dev/null | python3 -c '
import json, sys
shadow = next(s for s in json.load(sys.stdin)["shadows"]
              if (s.get("name") or "") == sys.argv[1] and s["thing"] == sys.argv[3])
for key in sys.argv[2].split("/")[1:]:
    shadow = shadow[key]
print(json.dumps(shadow, separators=(",", ":"), sort_keys=True))' "$1" "$2" "$thing" 2>/dev/null
}

# ---- programs on the device ----

declare -A actor_fds=() actor_pids=() actor_told=()

# actor_begins NAME: a program that does what it is told; its output is in $work/NAME.out. What one
# of the same name said before is away before this one begins, or its answers would pass for this
# one's: the shell in the background opens its files when it likes.
actor_begins() {
    local fd
    rm -f "$work/$1.in"
    mkfifo "$work/$1.in"
    : >"$work/$1.out"
    "$actor" "$1" <"$work/$1.in" >>"$work/$1.out" 2>>"$work/$1.log" &
    actor_pids[$1]=$!
    children+=("$!")
    exec {fd}>"$work/$1.in"
    actor_fds[$1]=$fd
    actor_told[$1]=0
}

# tell NAME COMMAND: have it do something (see the head of actor.c), wait until it has.
# Sets $result, and $out to the JSON that it printed, if it did.
tell() {
    local name=$1
    shift
    tell_only "$name" "$*"
    wait_until 90 actor_did "$name" || fail "$name did not '$*'"
    result=$(grep '^{"did"' "$work/$name.out" | tail -n 1 | sed -E 's/.*"result":(-?[0-9]+).*/\1/')
    out=$(grep '^{"json"' "$work/$name.out" | tail -n 1)
    ran="$name: $*"
}
tell_only() {
    local name=$1
    shift
    actor_told[$name]=$((actor_told[$name] + 1))
    printf '%s\n' "$*" >&"${actor_fds[$name]}"
}
actor_did() { [ "$(grep -c '^{"did"' "$work/$1.out")" -ge "${actor_told[$1]}" ]; }
expect_result() { [ "$result" = "$1" ] || fail "expected $1 of '$ran', it was $result: $(tail -n 1 "$work/${ran%%:*}.out")"; }

# actor_ends NAME [close|exit|kill]: by saying goodbye, without, or without warning.
actor_ends() {
    if [ "${2:-close}" = kill ]; then
        kill -KILL "${actor_pids[$1]}"
    else
        tell_only "$1" "${2:-close}"
    fi
    wait "${actor_pids[$1]}" 2>/dev/null
    eval "exec ${actor_fds[$1]}>&-"
    unset "actor_fds[$1]" "actor_pids[$1]"
}

# watch FILE ARGUMENTS...: fluxctl watch in the background, into $work/FILE. Sets $watch_pid.
watch() {
    local file=$work/$1
    shift
    : >"$file"
    "$fluxctl" watch "$@" >>"$file" 2>>"$file.log" </dev/null &
    watch_pid=$!
    children+=("$watch_pid")
}

# How many lines of a file hold all the members of a JSON object: FILE OBJECT
lines_like() {
    python3 -c '
import json, sys
want, count = json.loads(sys.argv[2]), 0
for line in open(sys.argv[1]):
    try:
        have = json.loads(line)
    except ValueError:
        continue
    count += all(key in have and have[key] == want[key] for key in want)
print(count)' "$work/$1" "$2"
}
was_told() { [ "$(lines_like "$1" "$2")" -ge 1 ]; }
was_told_once() { [ "$(lines_like "$1" "$2")" -eq 1 ]; }
lines() { wc -l <"$work/$1"; }

# ---- comparing ----

# The cloud's reported state and the device's, equal by value; of the shadow in $of.
cloud_equals_device() {
    local device=$of
    [ -z "$of" ] || [[ $of == --* ]] || device="--thing $of"
    # shellcheck disable=SC2086
    "$fluxctl" $device --json get --reported >"$work/device.json" 2>/dev/null &&
        cloud shadow $of >"$work/cloud.json" 2>/dev/null &&
        python3 "$here/compare.py" "$work/device.json" "$work/cloud.json"
}
cloud_equals_device_quietly() { cloud_equals_device >/dev/null; }

# ---- the end ----

clean_up() {
    local result=$? pid
    trap - EXIT
    if [ -z "$script_finished" ]; then
        [ -n "$case_name" ] && fail "the test ended in the middle"
        end_case
        [ "$result" -ne 0 ] || result=1
        echo "not ok - the test ran to its end"
    fi
    if [ "$result" -ne 0 ] && [ -s "$daemon_log" ]; then
        echo "# the daemon's log ends with:"
        tail -n "${log_lines:-40}" "$daemon_log" | sed 's/^/#   /'
    fi
    for pid in "${children[@]}" ${daemon_pid:+"$daemon_pid"}; do
        kill -KILL "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
    done
    [ ! -d "$cloud_dir" ] || cloud stop >/dev/null 2>&1
    if [ -n "${FLUX_KEEP:-}" ]; then echo "# kept: $work"; else rm -rf "$work"; fi
    exit "$result"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP
