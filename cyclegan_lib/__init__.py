"""Unpaired translation of machine-sound features between two recording devices.

Domain A is ``cpc006`` (an edge recorder in a plant), domain B is ``BATCH_UPLOAD`` (uploaded laboratory
recordings). Data flows one way through the folders: recordings, features, models, training, export,
evaluation, plots; notebooks and the ``cyclegan`` command stand on top.
"""

__version__ = "0.1.0"
