// @ts-check

// Apply the reader's theme, if one was chosen, before the first paint.
try {
  document.documentElement.style.colorScheme = localStorage.getItem("normreport-theme") || "";
} catch {
  // A browser may forbid storage.
}
