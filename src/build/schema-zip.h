/* The schema program, a zip that Python runs; made by zipapp.py when Vend is built. */
#pragma once

extern const unsigned char vend_schema_zip[];
extern const unsigned int vend_schema_zip_size;
