/* SHA-256 by the SHA instructions of x86-64, four rounds at a time, so that other chains of work can go between. */
#ifndef FIM_NI_H
#define FIM_NI_H

#include "sha256.h"

extern const uint32_t SHA_K[64];

#if defined(__x86_64__) && defined(__GNUC__)
#define HAS_NI 1
#include <immintrin.h>
#define NI __attribute__((target("sha,sse4.1,ssse3")))
#define INLINE static inline __attribute__((always_inline))

typedef struct {
    __m128i abef, cdgh, before_abef, before_cdgh, m[4];
} Chain;

INLINE NI void chain_load(Chain *c, const uint32_t h[8]) {
    __m128i low = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)h), 0xB1);
    __m128i high = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(h + 4)), 0x1B);
    c->abef = _mm_alignr_epi8(low, high, 8);
    c->cdgh = _mm_blend_epi16(high, low, 0xF0);
}

INLINE NI void chain_store(const Chain *c, uint32_t h[8]) {
    __m128i low = _mm_shuffle_epi32(c->abef, 0x1B), high = _mm_shuffle_epi32(c->cdgh, 0xB1);
    _mm_storeu_si128((__m128i *)h, _mm_blend_epi16(low, high, 0xF0));
    _mm_storeu_si128((__m128i *)(h + 4), _mm_alignr_epi8(high, low, 8));
}

INLINE NI void chain_open(Chain *c, const uint8_t *data) {
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
    for (int i = 0; i < 4; i++)
        c->m[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(data + 16 * i)), swap);
    c->before_abef = c->abef;
    c->before_cdgh = c->cdgh;
}

/* Rounds 4i to 4i + 3, and the words of the message for four rounds that come 16 later. */
INLINE NI void chain_four(Chain *c, int i) {
    __m128i *m = c->m;
    __m128i k = _mm_add_epi32(m[i & 3], _mm_load_si128((const __m128i *)(SHA_K + 4 * i)));
    c->cdgh = _mm_sha256rnds2_epu32(c->cdgh, c->abef, k);
    c->abef = _mm_sha256rnds2_epu32(c->abef, c->cdgh, _mm_shuffle_epi32(k, 0x0E));
    if (i < 12) {
        __m128i x = _mm_sha256msg1_epu32(m[i & 3], m[(i + 1) & 3]);
        x = _mm_add_epi32(x, _mm_alignr_epi8(m[(i + 3) & 3], m[(i + 2) & 3], 4));
        m[i & 3] = _mm_sha256msg2_epu32(x, m[(i + 3) & 3]);
    }
}

INLINE NI void chain_close(Chain *c) {
    c->abef = _mm_add_epi32(c->abef, c->before_abef);
    c->cdgh = _mm_add_epi32(c->cdgh, c->before_cdgh);
}
#endif

#endif
