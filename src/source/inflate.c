/* The table of engines. zlib is always there and is the reference; ISA-L is several times as fast where it is built in. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "source/internal.h"

const struct inflate_ops *inflate_ops_of(enum inflate_engine engine)
{
#ifdef WEIR_HAVE_ISAL
    const struct inflate_ops *isal = &inflate_isal_ops;
#else
    const struct inflate_ops *isal = NULL;
#endif
    switch (engine) {
    case INFLATE_BEST: return isal ? isal : &inflate_zlib_ops;
    case INFLATE_ZLIB: return &inflate_zlib_ops;
    case INFLATE_ISAL: return isal;
    }
    return NULL;
}

bool inflate_engine_has(enum inflate_engine engine)
{
    return inflate_ops_of(engine) != NULL;
}

const char *inflate_engine_name(enum inflate_engine engine)
{
    const struct inflate_ops *ops = inflate_ops_of(engine);
    return ops ? ops->name() : "not built in";
}
