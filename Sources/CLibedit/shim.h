/// libedit for Swift: `el_set`, `el_get` and `history` are variadic, which Swift cannot call, and `FILE *`
/// globals are not safe to name from Swift 6, so each use of them that hlab needs is one inline wrapper here.
#pragma once
#include <histedit.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

/// The columns of a character in the current locale, −1 when it is not printable. (<wchar.h> declares it for X/Open
/// only, which Swift does not ask for.)
extern int wcwidth(wchar_t character);

/// A key function: `CC_…` codes out.
typedef unsigned char (*hl_key_function)(EditLine *, int);
/// Returns the prompt; `\1` brackets escape sequences that take no columns.
typedef char *(*hl_prompt_function)(EditLine *);
/// Reads one character: 1, 0 at the end of input, −1 with errno.
typedef int (*hl_read_function)(EditLine *, wchar_t *);

/// An editor that reads standard input and draws on standard output, or on standard error when `on_stderr`.
static inline EditLine *hl_el_init(const char *program, int on_stderr) {
  return el_init(program, stdin, on_stderr ? stderr : stdout, stderr);
}

/// Sets the pointer that key functions find with `hl_client_data`.
static inline int hl_set_client_data(EditLine *el, void *data) { return el_set(el, EL_CLIENTDATA, data); }

/// The pointer given to `hl_set_client_data`, or NULL.
static inline void *hl_client_data(EditLine *el) {
  void *data = NULL;
  return el_get(el, EL_CLIENTDATA, &data) == 0 ? data : NULL;
}

static inline int hl_set_prompt(EditLine *el, hl_prompt_function prompt) {
  return el_set(el, EL_PROMPT_ESC, prompt, '\1');
}

/// `emacs` or `vi`. Resets the key map.
static inline int hl_set_editor(EditLine *el, const char *name) { return el_set(el, EL_EDITOR, name); }

/// 0 turns line editing off (for terminals that cannot move the cursor).
static inline int hl_set_editing(EditLine *el, int enabled) { return el_set(el, EL_EDITMODE, enabled); }

/// Turns libedit's own signal handlers off: they would signal the whole process group.
static inline int hl_ignore_signals(EditLine *el) { return el_set(el, EL_SIGNAL, 0); }

/// Replaces the function that reads characters.
static inline int hl_set_reader(EditLine *el, hl_read_function read) { return el_set(el, EL_GETCFN, read); }

/// Names a key function, so that `hl_bind` can use it.
static inline int hl_add_function(EditLine *el, const char *name, const char *help, hl_key_function function) {
  return el_set(el, EL_ADDFN, name, help, function);
}

/// Binds a key sequence, in the notation of editrc(5), to a named function.
static inline int hl_bind(EditLine *el, const char *key, const char *function) {
  return el_set(el, EL_BIND, key, function, NULL);
}

/// Puts the terminal into (1) or out of (0) the mode for editing.
static inline int hl_prepare_terminal(EditLine *el, int editing) { return el_set(el, EL_PREP_TERM, editing); }

/// Draws prompt and line anew, where the cursor is now.
static inline int hl_redraw(EditLine *el) { return el_set(el, EL_REFRESH); }

/// Writes bytes to the stream that the editor draws on, after what it has drawn.
static inline void hl_write(EditLine *el, const char *bytes, size_t count) {
  FILE *out = NULL;
  if (el_get(el, EL_GETFP, 1, &out) != 0 || out == NULL) return;
  fwrite(bytes, 1, count, out);
  fflush(out);
}

/// A history of `size` entries; an entry equal to the one before it is not added.
static inline History *hl_history_init(int size) {
  History *history_ = history_init();
  HistEvent event;
  if (history_ == NULL) return NULL;
  history(history_, &event, H_SETSIZE, size);
  history(history_, &event, H_SETUNIQUE, 1);
  return history_;
}

static inline int hl_use_history(EditLine *el, History *history_) {
  return el_set(el, EL_HIST, history, history_);
}

/// Adds an entry as the newest.
static inline int hl_history_enter(History *history_, const char *text) {
  HistEvent event;
  return history(history_, &event, H_ENTER, text);
}
