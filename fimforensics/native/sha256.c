/* SHA-256: the same function twice, in plain C and with the SHA instructions of x86-64, chosen at run time.
 *
 * Why not hashlib's: a record has eight short hashes, and a call there costs more than the hash. One chain of rounds leaves the
 * SHA unit idle half of the time, so two texts are hashed side by side (`sha_two`).
 */
#include "ni.h"

#include <string.h>

#ifdef HAS_NI
#include <cpuid.h>
#endif

const ShaState SHA_START = {{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19}};

const uint32_t SHA_K[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static int with_ni;

static uint32_t turn(uint32_t x, int by) {
    return x >> by | x << (32 - by);
}

static void plain_block(uint32_t h[8], const uint8_t *data) {
    uint32_t w[64], v[8];
    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)data[4 * i] << 24 | (uint32_t)data[4 * i + 1] << 16 | (uint32_t)data[4 * i + 2] << 8 | data[4 * i + 3];
    for (int i = 16; i < 64; i++)
        w[i] = (turn(w[i - 2], 17) ^ turn(w[i - 2], 19) ^ w[i - 2] >> 10) + w[i - 7]
             + (turn(w[i - 15], 7) ^ turn(w[i - 15], 18) ^ w[i - 15] >> 3) + w[i - 16];
    memcpy(v, h, sizeof v);
    for (int i = 0; i < 64; i++) {
        uint32_t one = v[7] + (turn(v[4], 6) ^ turn(v[4], 11) ^ turn(v[4], 25)) + ((v[4] & v[5]) ^ (~v[4] & v[6])) + SHA_K[i] + w[i];
        uint32_t two = (turn(v[0], 2) ^ turn(v[0], 13) ^ turn(v[0], 22)) + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
        memmove(v + 1, v, 7 * sizeof *v);
        v[4] += one;
        v[0] = one + two;
    }
    for (int i = 0; i < 8; i++)
        h[i] += v[i];
}

#ifdef HAS_NI
NI static void ni_blocks(ShaState *state, const uint8_t *data, size_t blocks) {
    Chain c;
    chain_load(&c, state->h);
    for (; blocks; blocks--, data += 64) {
        chain_open(&c, data);
#pragma GCC unroll 16
        for (int i = 0; i < 16; i++)
            chain_four(&c, i);
        chain_close(&c);
    }
    chain_store(&c, state->h);
}

NI static void ni_blocks_two(ShaState *one, const uint8_t *data, ShaState *other, const uint8_t *beside, size_t blocks) {
    Chain c, d;
    chain_load(&c, one->h);
    chain_load(&d, other->h);
    for (; blocks; blocks--, data += 64, beside += 64) {
        chain_open(&c, data);
        chain_open(&d, beside);
#pragma GCC unroll 16
        for (int i = 0; i < 16; i++) {
            chain_four(&c, i);
            chain_four(&d, i);
        }
        chain_close(&c);
        chain_close(&d);
    }
    chain_store(&c, one->h);
    chain_store(&d, other->h);
}
#endif

int sha_choose(int portable) {
#ifdef HAS_NI
    unsigned a = 0, b = 0, c = 0, d = 0;
    int old = __get_cpuid(1, &a, &b, &c, &d) && c & bit_SSE4_1 && c & bit_SSSE3;
    with_ni = !portable && old && __get_cpuid_count(7, 0, &a, &b, &c, &d) && b & 1u << 29;
#else
    (void)portable;
#endif
    return with_ni;
}

void sha_blocks(ShaState *state, const uint8_t *data, size_t blocks) {
#ifdef HAS_NI
    if (with_ni) {
        ni_blocks(state, data, blocks);
        return;
    }
#endif
    for (; blocks; blocks--, data += 64)
        plain_block(state->h, data);
}

void sha_end(ShaState state, uint64_t before, const uint8_t *data, size_t size, uint8_t out[32]) {
    uint8_t last[128] = {0};
    size_t whole = size / 64, rest = size % 64, room = rest < 56 ? 64 : 128;
    uint64_t bits = (before + size) * 8;
    sha_blocks(&state, data, whole);
    if (rest)
        memcpy(last, data + 64 * whole, rest);
    last[rest] = 0x80;
    for (int i = 0; i < 8; i++)
        last[room - 1 - i] = (uint8_t)(bits >> 8 * i);
    sha_blocks(&state, last, room / 64);
    for (int i = 0; i < 8; i++)
        for (int j = 0; j < 4; j++)
            out[4 * i + j] = (uint8_t)(state.h[i] >> (24 - 8 * j));
}

void sha_two(const uint8_t *one, size_t one_size, uint8_t one_out[32], const uint8_t *other, size_t other_size,
             uint8_t other_out[32]) {
    ShaState a = SHA_START, b = SHA_START;
    size_t done = 0;
#ifdef HAS_NI
    if (with_ni) {
        size_t blocks = (one_size < other_size ? one_size : other_size) / 64;
        ni_blocks_two(&a, one, &b, other, blocks);
        done = 64 * blocks;
    }
#endif
    sha_end(a, done, one + done, one_size - done, one_out);
    sha_end(b, done, other + done, other_size - done, other_out);
}
