/* What a director tells the first process of a sandbox (pin.c), and the other way round. */
#pragma once

/* Numbers of the descriptors that it is started with. */
#define VEND_PIN_FIRST 10
#define VEND_PIN_ARGS 10    /* of bubblewrap */
#define VEND_PIN_FILTER 11  /* a seccomp program */
#define VEND_PIN_PROGRAM 12 /* pin itself */
#define VEND_PIN_CONTROL 13 /* a SOCK_SEQPACKET to the director */
#define VEND_PIN_ORDERS 14
#define VEND_PIN_PASSWD 15
#define VEND_PIN_GROUP 16
#define VEND_PIN_LIFE 17   /* a FIFO: a room ends once nobody has its other end */
#define VEND_PIN_AROUND 18 /* of a room that is nested in another: holds that one's life */
#define VEND_PIN_LAST 18
/* Smaller ones are the program's own. */
#define VEND_PIN_CHECK 9 /* of a launcher, to the director: zygote/launcher.c */

#define VEND_PIN_WAIT "wait" /* its argument, where it is no first process */

/* Orders: words that end with NUL, whose first byte says what they are. */
#define VEND_PIN_ARGUMENT 'a'
#define VEND_PIN_VARIABLE 'e' /* NAME=value; nothing else is in the environment */
#define VEND_PIN_FOLDER 'c'   /* the working directory */
#define VEND_PIN_LIMIT 'l'    /* the number of a resource, a space, its limit */
#define VEND_PIN_READ 'r'     /* a path that Landlock lets it read */
#define VEND_PIN_WRITE 'w'    /* and one that it may change */
#define VEND_PIN_LANDLOCK 'L' /* nothing starts without it */
#define VEND_PIN_STAY 's'     /* no namespaces: the process becomes the model server itself */
#define VEND_PIN_LAUNCHER 'f' /* the program locks signals by itself: it passes some on */
#define VEND_PIN_ROOM 'z'     /* stays without the program, which awaits a second "go" */

/* To the director, with the credentials of who sends it: "pin", "model", "end STATUS MAXRSS_KIB".
 * From it: "go", then the numbers of signals for the model. */
