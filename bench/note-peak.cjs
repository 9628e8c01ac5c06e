/** Preloaded into a measured program: writes its peak resident memory, in MiB, when it ends. */
process.on('exit', () => {
  const { maxRSS } = process.resourceUsage();
  require('node:fs').writeFileSync(process.env.BENCH_PEAK_FILE, String(maxRSS / 1024));
});
