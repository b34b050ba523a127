#!/bin/bash
# Sweeps through a real Slurm: a cluster of one node on loopback, started for this and ended after it.
#
#   Tools/slurm-test.sh SIMNET SCENARIO.json
#
# A job array with its dependent merge; then again with one shard killed, resumed by the same command.
# Both tables must have the bytes that simnet run writes. Exit code 77: there is no Slurm and apt cannot
# be reached to install it.
set -euo pipefail
simnet=$(realpath "$1")
scenario=$(realpath "$2")

if ! command -v slurmctld > /dev/null || ! command -v munged > /dev/null; then
  if [ "$(id -u)" != 0 ]; then
    echo "SKIPPED: Slurm is not installed, and only root can install it"
    exit 77
  fi
  echo "installing slurm-wlm and munge"
  export DEBIAN_FRONTEND=noninteractive
  if ! { apt-get install -y -qq --no-install-recommends slurm-wlm munge \
    || { apt-get update -qq && apt-get install -y -qq --no-install-recommends slurm-wlm munge; }; } \
    > /dev/null 2>&1; then
    echo "SKIPPED: Slurm is not installed, and apt cannot be reached"
    exit 77
  fi
fi

work=$(mktemp -d)
export PATH=$PATH:/usr/sbin
export SLURM_CONF=$work/slurm.conf
node=$(hostname -s)
# Two test runs on one machine must not meet.
port=$((20000 + $$ % 20000))

daemons=()
# daemon COMMAND...: starts it in the background; what it says goes into its own log.
daemon() {
  "$@" > /dev/null 2>&1 &
  daemons+=($!)
}
finish() {
  for pid in "${daemons[@]}"; do kill "$pid" 2> /dev/null || true; done
  # Where this script was started with signals blocked, its daemons do not hear them.
  sleep 0.5
  for pid in "${daemons[@]}"; do kill -KILL "$pid" 2> /dev/null || true; done
  wait
  rm -rf "$work"
}
trap finish EXIT

mkdir -p "$work"/{state,spool,log,munge}
chmod 700 "$work/munge"
dd if=/dev/urandom bs=1024 count=1 of="$work/munge/key" 2> /dev/null
chmod 400 "$work/munge/key"
daemon munged --foreground --force --key-file="$work/munge/key" --socket="$work/munge.sock" \
  --pid-file="$work/munge/munged.pid" --log-file="$work/munge/munged.log" \
  --seed-file="$work/munge/seed"
cat > "$SLURM_CONF" << X
ClusterName=simnet
SlurmctldHost=$node(127.0.0.1)
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
AuthType=auth/munge
AuthInfo=socket=$work/munge.sock
SlurmctldPort=$port
SlurmdPort=$((port + 1))
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
SlurmctldLogFile=$work/log/slurmctld.log
SlurmdLogFile=$work/log/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
SchedulerParameters=sched_interval=1,batch_sched_delay=0
MaxArraySize=10001
NodeName=$node NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
X
daemon slurmctld -D -f "$SLURM_CONF"
daemon slurmd -D -f "$SLURM_CONF" -N "$node"

# until SECONDS COMMAND...: repeats the command until it succeeds.
until_true() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    if [ $SECONDS -ge $end ]; then
      echo "FAILED: waited in vain for: $*"
      tail -n 5 "$work"/log/*.log "$work"/*/slurm-*.log 2> /dev/null || true
      exit 1
    fi
    sleep 0.1
  done
}
has_node() { sinfo -h -o %t 2> /dev/null | grep -q idle; }
queue_is_empty() { [ -z "$(squeue -h 2> /dev/null)" ]; }
until_true 30 has_node
echo "a cluster of one node is up"

cd "$work"
"$simnet" run "$scenario" -q -o expected.csv

"$simnet" sweep "$scenario" --out whole --engine slurm --shards 4 --partition main
until_true 120 test -s whole/results.csv
cmp expected.csv whole/results.csv
echo "array and merge: the same bytes"
until_true 60 queue_is_empty

# The same with a shard killed as soon as it has finished something; it may be faster than this
# script, and then another attempt is due.
journal=torn/shard-1-of-4.journal
# The first line only names the build.
has_begun() { [ -e $journal ] && [ "$(wc -l < $journal)" -ge 2 ]; }
killed=
for _ in 1 2 3 4 5; do
  rm -rf torn
  "$simnet" sweep "$scenario" --out torn --engine slurm --shards 4 --partition main -q
  until_true 60 has_begun
  pid=$(pgrep -f "sweep $work/torn --shard 1/4" | head -n 1 || true)
  if [ -n "$pid" ] && kill -KILL "$pid" 2> /dev/null; then
    killed=$(($(wc -l < $journal) - 1))
    break
  fi
  until_true 120 queue_is_empty
done
if [ -z "$killed" ]; then
  echo "FAILED: shard 1 always ended before it could be killed; give the scenario more points"
  exit 1
fi
echo "shard 1 killed after $killed runs"
until_true 120 queue_is_empty
if [ -e torn/results.csv ]; then
  echo "FAILED: a torn sweep was merged"
  exit 1
fi
missing=$("$simnet" sweep torn --list-missing --shards 4)
if [ "$missing" != 1 ]; then
  echo "FAILED: shard 1 is missing, --list-missing says \"$missing\""
  exit 1
fi
"$simnet" sweep "$scenario" --out torn --engine slurm --shards 4 --partition main
until_true 120 test -s torn/results.csv
cmp expected.csv torn/results.csv
echo "killed, resumed and merged: the same bytes"
