/* Videos: a prediction is such a job. Pure. */
#pragma once
#include "model/prediction.h"

#define VEND_OPENAI_VIDEO_PREFIX "video_"

/* The job as clients poll it. */
json_t *vend_openai_video (const VendPrediction *prediction) G_GNUC_WARN_UNUSED_RESULT;
