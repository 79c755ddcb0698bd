"""A scan on many machines: pages that may share anything meet in one part, and the stages of one machine run on each part."""
