#include "lanes.h"

FOR_SEVERAL_PROCESSORS
void dseg_adam_step(struct dseg_adam s, float *restrict w, const float *restrict gradient, float *restrict mean,
                    float *restrict square, size_t count) {
  for (size_t i = 0; i < count; i++) {
    float weight = w[i];
    float g = gradient[i] + s.added_decay * weight;
    float m = s.beta1 * mean[i] + s.rest1 * g;
    float v = s.beta2 * square[i] + s.rest2 * g * g;
    mean[i] = m;
    square[i] = v;
    w[i] = weight * s.shrink - s.step_size * m / (__builtin_elementwise_sqrt(v) * s.inverse_root + s.eps);
  }
}
