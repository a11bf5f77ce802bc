#include <zlib.h>

// The initialisers of zlib are macros, which Swift does not see. `windowBits` is 15 + 32 for gzip or zlib data found
// by its header, and -15 for raw deflate data.
static inline int hz_inflate_init(z_stream *stream, int windowBits) { return inflateInit2(stream, windowBits); }
