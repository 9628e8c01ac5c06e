/**
 * The scripts that stand between our process and the user's command. They belong to the command's process group.
 *
 * Arguments: a program for missing tools, the path of the scratch folder, then the words that run the command. The folder becomes the
 * command's TMPDIR; where it cannot be made, as on a read-only file system, the command keeps the one it has.
 * File descriptor 3 is the lifeline, a socket to our process. Its end means that our process has died, in whatever way: then everything
 * in the group is killed. Lines on it to our process, each a word and an exit code: `exit` when the command has ended, `copied` when
 * its input or output has been passed on, `over` when nothing remains to be done; and of a load, `left` and `nuls`, see `LOAD_SCRIPT`. File
 * descriptor 4 is the content: of a dump a pipe (`content-pipe.ts`), where none could be made and of a load a socket.
 *
 * Content of a socket goes through `cat`, because only a pipe can be opened as /dev/stdin and /dev/stdout. That costs about 0.2 seconds
 * of processor time per GiB.
 *
 * What the command sends to its own process group (`kill 0`) must not end those that hold its input open. So signals are ignored from
 * the beginning, and only the command gets them back.
 *
 * Variables begin with `bm_`, so that none of the user's is overwritten. Nothing here may depend on bash: dash and busybox run it.
 */
const FUNCTIONS = `
bm_tools=$1 bm_scratch=$2
shift 2
bm_tool() { if command -v "$1" >/dev/null 2>&1; then exec "$@"; else exec "$bm_tools" "$@"; fi; }
bm_remove() { (bm_tool rm -rf "$bm_scratch" 2>/dev/null); }
bm_end() {
  [ -z "$bm_scratch" ] || bm_remove || bm_remove
  kill -KILL 0
}
trap '' HUP INT QUIT TERM
if (bm_tool mkdir -m 700 "$bm_scratch" 2>/dev/null); then export TMPDIR="$bm_scratch"; else bm_scratch=; fi
bm_command() { trap - HUP INT QUIT TERM; exec "$@" 3<&- 4<&-; }
`;

/** Says that everything has ended, and waits to be killed: so the number of the process group stays ours until then. */
const FINISH = `
echo "over $?" >&3
read -r bm_verdict <&3
bm_end
`;

/** Makes file descriptor 4 the command's standard output. */
export const DUMP_SCRIPT = `${FUNCTIONS}
{ read -r bm_verdict <&3; bm_end; } 4>&- &
(bm_command "$@" >&4)
echo "exit $?" >&3
exec 4>&-
echo "copied 0" >&3
${FINISH}`;

/** Passes the command's standard output on to file descriptor 4. */
export const DUMP_THROUGH_SOCKET_SCRIPT = `${FUNCTIONS}
{ read -r bm_verdict <&3; bm_end; } 4>&- &
{
  (bm_command "$@")
  echo "exit $?" >&3
} | {
  (bm_tool cat >&4 3<&-)
  echo "copied $?" >&3
}
${FINISH}`;

/**
 * So many bytes that a load command has left unread are counted: what a pipe holds, so that `cat` gets through. More of them make it fail.
 */
export const COUNTED_BYTES = 64 * 1024;

/**
 * Passes file descriptor 4 on to the command's standard input. The guard in front of the pipe keeps its writing end open until it has
 * read `complete` on the lifeline: until then, the command cannot see the end of its input, whoever dies.
 *
 * When the kernel or the container runtime kills a whole container, it takes the oldest process first, and may take milliseconds for
 * each. So the guard alone would not do: it is older than the command's processes. The sleeper holds the pipe too and is replaced
 * every second, so that one of its kind is younger than whatever reads.
 *
 * `unread` on the lifeline means that `cat` has failed: if the command reads no more (141: SIGPIPE), its end can come, otherwise all of
 * it is killed.
 *
 * A pipe takes up to 64 KiB that nobody ever reads. So after exit code 0, what the command has left there is counted: `left` is the number
 * of bytes up to the end, at most {@link COUNTED_BYTES} + 1, plus one that says that `head` has worked; `nuls` is how many of them are
 * NUL. If there are more, the counting ends at once and so does `cat`, as if nobody had counted.
 */
export const LOAD_SCRIPT = `${FUNCTIONS}
{
  {
    (bm_tool cat <&4 3<&-)
    bm_status=$?
    echo "copied $bm_status" >&3
    exit "$bm_status"
  } &
  bm_copier=$!
  exec 4<&-
  {
    trap 'kill -KILL "$!" 2>/dev/null; exit' USR1
    while bm_tool sleep 1 & wait "$!"; do :; done
  } 3<&- &
  bm_sleeper=$!
  read -r bm_verdict <&3 || bm_end
  wait "$bm_copier"
  case $bm_verdict,$? in
    complete,0 | *,141) kill -USR1 "$bm_sleeper" ;;
    *) bm_end ;;
  esac
} | {
  exec 4<&-
  (bm_command "$@")
  bm_status=$?
  echo "exit $bm_status" >&3
  [ "$bm_status" = 0 ] || exit "$bm_status"
  # As lines, wc counts the NULs.
  set -- $({ (bm_tool head -c ${COUNTED_BYTES + 1}) && echo; } 3<&- | bm_tool tr '\\n\\000' 'x\\n' 3<&- | bm_tool wc -lc 3<&-)
  echo "nuls \${1:-unknown}" >&3
  echo "left \${2:-unknown}" >&3
  exit 0
}
${FINISH}`;
