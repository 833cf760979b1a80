// Light, dark, or as the system is; and whether single keys do something. Kept in this browser if it lets us.

export type Theme = "system" | "light" | "dark"

export function kept(name: string): string | null {
  try {
    return localStorage.getItem(`skillmesh-${name}`)
  } catch {
    return null
  }
}

export function keep(name: string, value: string): void {
  try {
    localStorage.setItem(`skillmesh-${name}`, value)
  } catch {
    // A browser that keeps nothing: the choice lasts as long as the page.
  }
}

export function themeNow(): Theme {
  const theme = kept("theme")
  return theme === "light" || theme === "dark" ? theme : "system"
}

/** Puts a theme on the page. */
export function wear(theme: Theme): void {
  if (theme === "system") delete document.documentElement.dataset["theme"]
  else document.documentElement.dataset["theme"] = theme
}
