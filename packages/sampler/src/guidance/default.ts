/**
 * How much a prompt is exaggerated where nobody says it: here, on the command line and in the examples. Small models that
 * saw few pictures look best from 1 to 2; at 3 they begin to overdo colours and lose shapes.
 */
export const DEFAULT_GUIDANCE = 2;
