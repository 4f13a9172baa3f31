"""Evidence packs: written, shown and checked, for whoever has to look at what was shared without this vault."""
