/* Samples of a batch one by one. To be included after the header of the world (`rule.h`, `activity.h`, `drill.h`). */
#ifndef CAMPANILE_BATCH_H
#define CAMPANILE_BATCH_H

#include <stddef.h>

/* How many samples a batch has. */
static inline size_t campanile_batch_len(const campanile_plugin_types_batch_t *batch) { return batch->points.len; }

/* A sample of a batch, from 0. A text is the batch's: it goes with it. */
static inline campanile_plugin_types_sample_t campanile_batch_sample(const campanile_plugin_types_batch_t *batch,
                                                                      size_t index) {
    campanile_plugin_types_sample_t sample;
    double number = batch->numbers.ptr[index];
    sample.point = batch->points.ptr[index];
    sample.time = batch->times.ptr[index];
    sample.quality = batch->qualities.ptr[index];
    sample.value.tag = batch->kinds.ptr[index];
    switch (sample.value.tag) {
    case CAMPANILE_PLUGIN_TYPES_VALUE_BOOLEAN: sample.value.val.boolean = number != 0; break;
    case CAMPANILE_PLUGIN_TYPES_VALUE_CHOICE: sample.value.val.choice = (uint16_t)number; break;
    case CAMPANILE_PLUGIN_TYPES_VALUE_TEXT: sample.value.val.text = batch->texts.ptr[(size_t)number]; break;
    default: sample.value.val.number = number; break;
    }
    return sample;
}

#endif
