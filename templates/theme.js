"use strict";
// Before anything is painted: the theme that the reader chose, if not the system's.
try {
  document.documentElement.style.colorScheme = localStorage.getItem("normreport-theme") || "";
} catch { /* a browser may forbid to remember */ }
