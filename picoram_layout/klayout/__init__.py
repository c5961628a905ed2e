"""What is put into the KLayout application: technologies and a menu, as one of its packages ("salt")."""
