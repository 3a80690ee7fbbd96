# Sourced by the fault tests (bash), over tests/integration/lib.sh: a daemon and a mosquitto bridge, both
# behind the same relay to the same broker, suffer the same fault in the same run; what is lost is counted.
#
# Each test has a short form, for tests/run, and a long one, for tests/reliability/run, which sets
# FLUX_LONG=1 and collects the rows of the table in $FLUX_ROWS. The bridge runs in the long form only.
. "$(dirname "${BASH_SOURCE[0]}")/../integration/lib.sh"
here=$source_root/tests/integration
reliability=$source_root/tests/reliability
built=$build/tests/reliability
bridge_thing=bridge-thing
update_topic="\$aws/things/$bridge_thing/shadow/update"

is_long() { [ -n "${FLUX_LONG:-}" ]; }
# pick_form SHORT LONG: the number for this form.
pick_form() { if is_long; then echo "$2"; else echo "$1"; fi; }

# What all of these tests run with, so that the rows can be compared: a careful user's settings, with
# an interval that makes a test end today.
settings=("[Connection]" "BackoffMinMs = 1000" "BackoffMaxMs = 10000" "ConnectTimeoutMs = 5000"
    "KeepAliveSec = 30" "[Updates]" "IntervalMs = 1000" "Burst = 5" "ResponseTimeoutMs = 5000")
# And the short form with less patience.
is_long || settings=("${quick_settings[@]}")
settings+=("[Storage]" "Mode = durable" "Directory = $cloud_dir/state")

# Leave with a reason if this machine cannot do what the test needs.
skip_all() {
    skip "$1"
    script_finished=1
    exit 77
}
need_tool() { command -v "$1" >/dev/null || skip_all "$1 is not installed"; }

# row FAULT HOW ROUNDS LOST RECOVERED OPERATIONS BRIDGE: one row of the table.
row() {
    local IFS=$'\t'
    [ -z "${FLUX_ROWS:-}" ] || printf '%s\n' "${0##*/}"$'\t'"$*" >>"$FLUX_ROWS"
    IFS='|'
    echo "# row: $*"
}

# The tests of durable storage need a disk under the temporary directory, not memory.
need_durable() {
    mkdir -p "$cloud_dir/state"
    case $(stat -f -c %T "$cloud_dir/state") in
    tmpfs | ramfs) skip_all "the temporary directory is in memory; set TMPDIR to one on a disk" ;;
    esac
}

# ---- what goes up ----

properties=20
count=200
first=1

# report_batch: `count` reports over `properties` properties, each held by the daemon when it returns.
report_batch() {
    "$load" --count "$count" --rate "${rate:-0}" --properties "$properties" --first "$first" \
        --round-trip --flush-ms 0 >"$work/load.out" 2>"$work/load.log" || fail "the reports: $(cat "$work/load.log")"
}

# wrong_in THING: how many properties of the last batch the cloud does not hold as they were reported last.
wrong_in() {
    cloud shadow "$1" 2>/dev/null | python3 -c '
import json, sys
first, count, properties = map(int, sys.argv[1:])
try:
    held = json.load(sys.stdin)["state"]["reported"]["load"]
except (ValueError, KeyError):
    held = {}
last = {}
for index in range(count):
    last["p%03d" % (index % properties)] = first + index
print(sum(held.get(path) != value for path, value in last.items()))' "$first" "$count" "$properties"
}
all_right() { [ "$(wrong_in "$1")" = 0 ]; }

# operations THING: that were asked for its shadows since the counters began.
operations() {
    cloud counters 2>/dev/null | python3 -c '
import json, sys
print(sum(sum(shadow[key] for key in ("get", "update", "delete"))
          for name, shadow in json.load(sys.stdin)["shadows"].items()
          if name.startswith(sys.argv[1] + "/")))' "$1"
}

# ---- the bridge: mosquitto as devices use it to reach a cloud, on its defaults ----

bridge_pid=
bridge_lines=()

launch_bridge() {
    mkdir -p "$work/bridge"
    cat >"$work/bridge.conf" <<END
$([ "$(id -u)" -ne 0 ] || echo "user root")
listener 0 $work/bridge.sock
allow_anonymous true
persistence true
persistence_location $work/bridge/
$(printf '%s\n' "${bridge_lines[@]}")
connection cloud
address localhost:$(cat "$cloud_dir/port")
bridge_cafile $cloud_dir/ca.pem
bridge_certfile $cloud_dir/things/$bridge_thing.pem
bridge_keyfile $cloud_dir/things/$bridge_thing.key
remote_clientid $bridge_thing
cleansession false
notifications false
try_private false
bridge_protocol_version mqttv311
bridge_attempt_unsubscribe false
keepalive_interval 30
restart_timeout 1 10
topic $update_topic out 1
END
    "${bridge_prefix[@]}" mosquitto -c "$work/bridge.conf" >>"$work/bridge.log" 2>&1 </dev/null &
    bridge_pid=$!
    children+=("$bridge_pid")
    wait_until 30 test -S "$work/bridge.sock"
}
bridge_prefix=(env)
bridge_linked() { [ "$(counter "/clients/$bridge_thing/connects")" -gt 0 ] 2>/dev/null; }

start_bridge() {
    is_long || return 0
    cloud cert "$bridge_thing" >/dev/null
    launch_bridge
    wait_until 30 bridge_linked || fail "the bridge does not connect: $(tail -n 3 "$work/bridge.log")"
}

kill_bridge() {
    kill -KILL "$bridge_pid" && wait "$bridge_pid" 2>/dev/null
    rm -f "$work/bridge.sock"
}

# bridge_batch: the same values as report_batch(), each acknowledged by the local broker.
bridge_batch() {
    is_long || return 0
    python3 -c '
import sys
first, count, properties = map(int, sys.argv[1:])
for index in range(count):
    print("{\"state\":{\"reported\":{\"load\":{\"p%03d\":%d}}}}" % (index % properties, first + index))
' "$first" "$count" "$properties" |
        timeout 60 mosquitto_pub --unix "$work/bridge.sock" -t "$update_topic" -q 1 -l ||
        fail "mosquitto_pub"
}

# Wait until the bridge's values are there, or nothing more has come for so many seconds.
await_bridge() {
    local patience=${1:-30} before=-1 now since=$SECONDS
    while ! all_right "$bridge_thing"; do
        now=$(operations "$bridge_thing")
        if [ "$now" != "$before" ]; then
            before=$now
            since=$SECONDS
        fi
        [ $((SECONDS - since)) -lt "$patience" ] || return 1
        sleep 0.5
    done
}

# ---- one fault ----

# outage ROUNDS SECONDS INJECT HEAL: each round breaks something, reports meanwhile, holds it for so long,
# mends it, and waits until the cloud is right. Sets the sums $lost and $bridge_lost (values that are not in
# the cloud in the end), $bridge_missing (messages that never came), $spent and $bridge_spent (operations),
# $slowest (milliseconds from mending until all is there) and, where the link is given up, $noticed. It is held
# until the command in $until succeeds, too: a busy machine may need longer to see what is to be seen.
until=true
has_noticed() { [ "$noticed" -gt 0 ]; }
outage() {
    local rounds=$1 hold=$2 inject=$3 heal=$4 round
    lost=0 bridge_lost=0 bridge_missing=0 bridge_spent=0 spent=0 slowest=0 noticed=0
    for ((round = 0; round < rounds; round++)); do
        outage_round "$hold" "$inject" "$heal"
        first=$((first + count))
    done
}

outage_round() {
    local hold=$1 broken_at mended_at took
    wait_until 60 linked || fail "no link before the fault"
    cloud counters --reset >/dev/null
    broken_at=$(now_ms)
    "$2"
    report_batch
    bridge_batch
    while took=$(($(now_ms) - broken_at)); [ "$took" -lt $((hold * 1000)) ] || { [ "$took" -lt $(((hold + 60) * 1000)) ] && ! $until; }; do
        if [ "$noticed" -lt 1 ] && ! linked; then noticed=$(($(now_ms) - broken_at)); fi
        sleep 0.1
    done
    mended_at=$(now_ms)
    "$3"
    wait_until "${patience:-90}" all_right "$thing"
    took=$(($(now_ms) - mended_at))
    [ "$took" -le "$slowest" ] || slowest=$took
    expect "all reports are accepted in the end" "$fluxctl" flush --timeout 90
    count_losses
}

count_losses() {
    lost=$((lost + $(wrong_in "$thing")))
    spent=$((spent + $(operations "$thing")))
    is_long || return 0
    await_bridge 20
    bridge_lost=$((bridge_lost + $(wrong_in "$bridge_thing")))
    local came
    came=$(operations "$bridge_thing")
    bridge_spent=$((bridge_spent + came))
    [ "$came" -ge "$count" ] || bridge_missing=$((bridge_missing + count - came))
}

seconds_of() { printf '%d.%d s' $(($1 / 1000)) $(($1 % 1000 / 100)); }
bridge_words() {
    if is_long; then
        echo "$bridge_missing messages, $bridge_lost values; $bridge_spent operations"
    else
        echo "not run"
    fi
}

# outage_row FAULT HOW ROUNDS: what outage() found.
outage_row() {
    expect "nothing is lost, not $lost values" [ "$lost" -eq 0 ]
    row "$1" "$2" "$3" "$lost of $(($3 * properties)) values" "$(seconds_of "$slowest")" "$spent" "$(bridge_words)"
}

# ---- what it costs ----

# cpu_ms PID: what it has used of a processor.
cpu_ms() { awk -v hz="$(getconf CLK_TCK)" '{sub(/.*\) /, ""); print int(($12 + $13) * 1000 / hz)}' "/proc/$1/stat"; }
# wakeups PID: how often its threads have waited for something.
wakeups() { cat "/proc/$1/task/"*/status 2>/dev/null | awk '/^voluntary_ctxt/ {sum += $2} END {print sum + 0}'; }

# ---- the clock of the daemon ----

# What is not there would be left out in silence by the linker, and nothing be injected.
need_preload() {
    [ -f "$1" ] || { begin "$1 is there"; fail "build it first"; finish; }
}

launch_daemon() {
    # The sanitizers want to be first in the list of libraries; here another one is, on purpose.
    ASAN_OPTIONS=${ASAN_OPTIONS:-}:verify_asan_link_order=0 env "${daemon_prefix[@]}" \
        "$fluxawsd" --config "$cloud_dir/fluxawsd.conf" --log-level "${log_level:-info}" "$@" \
        >>"$daemon_log" 2>&1 </dev/null &
    daemon_pid=$!
}
daemon_prefix=()

find_faketime() {
    local path
    for path in /usr/lib/*/faketime/libfaketimeMT.so.1; do
        [ ! -f "$path" ] || { faketime=$path; return; }
    done
    skip_all "libfaketime is not installed"
}

# with_fast_clock N: daemon and bridge live N times faster than everybody else. Sets $speed.
with_fast_clock() {
    speed=$1
    find_faketime
    daemon_prefix=(LD_PRELOAD="$faketime" FAKETIME="+0 x$speed")
    bridge_prefix=(env "${daemon_prefix[@]}")
}

# with_wall_clock: the daemon's wall clock, and no other of its clocks, is what set_clock() last said.
with_wall_clock() {
    find_faketime
    set_clock "${1:-+0}"
    daemon_prefix=(LD_PRELOAD="$faketime" FAKETIME_TIMESTAMP_FILE="$work/clock" FAKETIME_NO_CACHE=1
        FAKETIME_DONT_FAKE_MONOTONIC=1)
    bridge_prefix=(env "${daemon_prefix[@]}")
}
# set_clock OFFSET: as +30y or -10d, from the true time.
set_clock() { echo "$1" >"$work/clock.new" && mv "$work/clock.new" "$work/clock"; }

# ---- the network of this test alone ----

# In a network namespace of one's own packets can be dropped without harm to anybody: call it first.
in_own_network() {
    [ -z "${FLUX_OWN_NETWORK:-}" ] || { ip link set lo up; return; }
    [ "$(id -u)" -eq 0 ] || skip_all "a network namespace takes root"
    need_tool nft
    unshare --net true 2>/dev/null || skip_all "this machine makes no network namespaces"
    rm -rf "$work"
    trap - EXIT
    FLUX_OWN_NETWORK=1 exec unshare --net "$0" "$@"
}
# drop_packets RULE...: what meets the rule is dropped, to and from the relay.
drop_packets() {
    local port
    port=$(cat "$cloud_dir/port")
    nft -f - <<END || fail "nft"
table inet flux {
  chain in {
    type filter hook input priority 0;
    tcp dport $port $* drop
    tcp sport $port $* drop
  }
}
END
}
mend_packets() { nft delete table inet flux; }
