/* SHA-256 (FIPS 180-4), with the processor's own instructions where it has them. */
#ifndef FIM_SHA256_H
#define FIM_SHA256_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint32_t h[8];
} ShaState;

extern const ShaState SHA_START;

/* Looks what the processor can do; `portable` keeps to plain C. To be called once before all else; 1 = its own instructions. */
int sha_choose(int portable);

/* Takes whole blocks of 64 bytes into the state. */
void sha_blocks(ShaState *state, const uint8_t *data, size_t blocks);

/* The hash of what the state took before (`before` bytes, whole blocks) and of `size` more bytes. */
void sha_end(ShaState state, uint64_t before, const uint8_t *data, size_t size, uint8_t out[32]);

/* The hashes of two texts, in little more time than that of the longer. */
void sha_two(const uint8_t *one, size_t one_size, uint8_t one_out[32], const uint8_t *other, size_t other_size,
             uint8_t other_out[32]);

#endif
